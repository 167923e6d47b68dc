"""Pictures of results."""

__all__: list[str] = []
