"""How commands print: aligned columns on stdout, and bars only where somebody sees them."""

import sys
from collections.abc import Sequence
from typing import Final

__all__ = ["DONE", "SOME_FAILED", "WRONG_USAGE", "hide_bars_of_datasets", "print_columns", "thousands"]

DONE: Final = 0
SOME_FAILED: Final = 1
WRONG_USAGE: Final = 2


def print_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, aligned with spaces."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def thousands(value: int | None) -> str:
    """A count for a reader; nothing where it is not known."""
    return "" if value is None else f"{value:,}"


def hide_bars_of_datasets() -> None:
    """Silence the bars of `datasets` where stderr is no terminal."""
    import datasets

    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
