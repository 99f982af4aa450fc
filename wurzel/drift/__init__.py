"""What has come apart between rendered files and what they are rendered from: which files, and for what reason."""
