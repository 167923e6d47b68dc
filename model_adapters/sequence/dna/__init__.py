"""DNA language models of the Hub, by name or by id."""

__all__: list[str] = []
