"""Writes what is generated in `docs/`: whole pages, and parts of hand-written ones. `make reference` runs it."""
