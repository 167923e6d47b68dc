"""Paired tests, tests over tasks, ranks, power, scores of parts of the entities, overlap of labels."""

__all__: list[str] = []
