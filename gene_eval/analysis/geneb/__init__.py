"""Models of DNA on the categories of GENEB: means, ranks with intervals, and what the choice of regime decides."""

__all__: list[str] = []
