"""One file or folder for each source: what it publishes, and how its rows are read."""

__all__: list[str] = []
