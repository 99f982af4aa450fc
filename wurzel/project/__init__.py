"""The configuration of pipelines, `wurzel.yaml`: its shape, loading with positions, resolving, explaining.

`wurzel.project.open` is where commands start.
"""
