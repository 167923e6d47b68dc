"""Models of single-cell expression, and expression profiles."""

__all__: list[str] = []
