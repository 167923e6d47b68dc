"""Labels that arXiv 2412.04075 does not have: essentiality, constraint, druggability, surface, age, and the like."""

__all__: list[str] = []
