"""Models that read text."""

__all__: list[str] = []
