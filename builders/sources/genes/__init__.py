"""The gene table: HGNC's genes with the texts and sequences of other sources."""

__all__: list[str] = []
