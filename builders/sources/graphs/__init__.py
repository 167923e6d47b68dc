"""Edges between genes, and between genes and terms of the Gene Ontology."""

__all__: list[str] = []
