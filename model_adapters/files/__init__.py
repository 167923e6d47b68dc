"""Vectors that somebody else computed: files and datasets, one reader a format."""

__all__: list[str] = []
