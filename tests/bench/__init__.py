"""Measures start-up, scaling, running and peers as ratios, side by side in one run: `make bench`."""
