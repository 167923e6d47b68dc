"""Graphs whose nodes are rows of vectors: normalisation, rewiring, and networks that pass messages along edges."""

__all__: list[str] = []
