"""Computed from results: tables, groups, ranks, comparisons."""

__all__: list[str] = []
