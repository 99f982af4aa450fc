"""A page about a run: its graph and schedule, and the state, data and log of each step, in one HTML file."""
