"""The call of a step: the words that start it, the variables that feed it, the code it is, and whether any has changed.

Renderers, pre-flights, `wurzel run`, `env` and `step` all ask here, so that there is one answer to each question.
"""
