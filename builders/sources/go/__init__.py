"""The Gene Ontology: slim terms of genes, and the genes annotated since an older release."""

__all__: list[str] = []
