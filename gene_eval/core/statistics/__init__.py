"""Paired tests, the bootstrap, ranks."""

__all__: list[str] = []
