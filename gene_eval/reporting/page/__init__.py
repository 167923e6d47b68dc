"""The page: one HTML file with its data, script and style."""

__all__: list[str] = []
