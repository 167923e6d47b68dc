"""Models that read protein and DNA sequences."""

__all__: list[str] = []
