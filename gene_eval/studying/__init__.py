"""What a graph adds to the vectors of a model: fair comparisons, hidden vectors, terms that say the label."""

__all__: list[str] = []
