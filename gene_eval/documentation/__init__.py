"""Pages of the documentation that are made from configs and adapters."""

__all__: list[str] = []
