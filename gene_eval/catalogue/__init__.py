"""Which tasks, suites of tasks and models there are, and what of them is built."""

__all__: list[str] = []
