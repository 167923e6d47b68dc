"""One module for each family of formats: bytes in, `Rows` out."""

__all__: list[str] = []
