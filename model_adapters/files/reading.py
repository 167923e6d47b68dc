"""How a file of vectors was read: which columns name genes, which are dimensions, what is left out and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from model_adapters.errors import some

SAMPLE = 10


@dataclass
class Reading:
    """A report for the user; `lines` says it in words.

    Args:
        identifier_columns: Names of the columns or arrays that name genes, the first before its fallbacks.
        dimensions: Length of a vector.
        dimension_columns: The first ten names of the dimensions, if they have names.
        left_out: Column -> why it is neither.
        resolved: How identifiers became symbols -> number of rows; "unknown" and "blank" among them.
        unknown: The first ten identifiers without a symbol, each with the likely reason.
        notes: What else a user should know, a sentence each.
    """

    identifier_columns: list[str] = field(default_factory=list)
    dimensions: int = 0
    dimension_columns: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    resolved: dict[str, int] = field(default_factory=dict)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Say it in lines for a terminal."""
        if self.identifier_columns:
            first, *others = (column or "the column without a name" for column in self.identifier_columns)
            yield f"identifiers: {first}" + (f", where it has no known gene {', '.join(others)}" if others else "")
        names = f" ({some(self.dimension_columns)})" if self.dimension_columns else ""
        yield f"dimensions: {self.dimensions:,}{names}"
        if self.left_out:
            yield f"left out: {some((f'{name} ({why})' for name, why in self.left_out.items()), limit=SAMPLE)}"
        if self.resolved:
            yield "resolved: " + ", ".join(f"{count:,} {status}" for status, count in self.resolved.items())
        if self.unknown:
            yield f"unknown: {', '.join(f'{name} ({why})' for name, why in self.unknown)}"
        yield from self.notes

    def name_dimensions(self, count: int, names: Sequence[str] = ()) -> None:
        """Record the length of a vector and the first names of its dimensions."""
        self.dimensions, self.dimension_columns = count, list(names[:SAMPLE])
