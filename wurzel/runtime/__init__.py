"""Running one step, and running a whole pipeline on this machine."""
