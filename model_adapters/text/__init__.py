"""Models that read texts."""

__all__: list[str] = []
