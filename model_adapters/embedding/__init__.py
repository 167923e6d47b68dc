"""From a gene table to an embedding table: inputs, chunks, cache, checks."""

__all__: list[str] = []
