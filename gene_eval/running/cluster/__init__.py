"""A run on many machines, by Dask: the steps of a plan as functions for workers, and what submits them."""

__all__: list[str] = []
