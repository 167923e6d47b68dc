"""Vectors of a run's models for what its tasks are about."""

__all__: list[str] = []
