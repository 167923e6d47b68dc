"""Which tasks, suites of tasks and models there are, and which of them are built."""

__all__: list[str] = []
