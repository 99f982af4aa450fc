"""One module or package per target: what it can express, and the files it writes."""
