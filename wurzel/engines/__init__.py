"""Runs what is rendered in the real engines of this machine, and collects the datasets that come of it.

One driver per engine. `wurzel prove`, `make conformance` and the tests share them.
"""
