"""Runs models on tasks, and runs saved results again."""

__all__: list[str] = []
