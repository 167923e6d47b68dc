"""Vectors that somebody else computed: files and datasets, with one reader for each format."""

__all__: list[str] = []
