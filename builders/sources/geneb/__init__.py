"""DNA sequence tasks of GENEB (arXiv 2606.04525), from its own files or those of the collections it is made of."""

__all__: list[str] = []
