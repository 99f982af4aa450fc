"""One driver per engine: how a real engine runs what is rendered, and what datasets come of it.

Used by the tests of each engine and by `conformance.py`, which runs every pipeline in every engine.
"""
