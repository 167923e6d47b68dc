"""The batched solver: all labels and folds of a task in one call."""

__all__: list[str] = []
