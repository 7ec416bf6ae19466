"""Composition roots: the processes and their loops."""
