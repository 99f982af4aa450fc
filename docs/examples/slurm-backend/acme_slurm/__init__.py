"""Slurm as a target of wurzel."""
