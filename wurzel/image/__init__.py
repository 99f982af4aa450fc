"""The container image of a project: its Dockerfile, what is left out of it, and how it is built and pushed."""
