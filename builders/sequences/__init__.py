"""Tasks about sequences: rows as published, in the parts that were published."""

__all__: list[str] = []
