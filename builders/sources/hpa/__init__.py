"""The Human Protein Atlas."""

__all__: list[str] = []
