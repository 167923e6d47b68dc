"""The embedded starter source."""

__all__: list[str] = []
