"""Vectors that a graph smooths, or that are of the graph alone."""

__all__: list[str] = []
