"""Columns of published tables, found by name: publishers rename and add them from release to release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from builders.errors import SourceFormatError

__all__ = ["Renamed", "canonical", "require_columns"]

Renamed = tuple[tuple[str, str], ...]
"""Pairs of a name that other releases use, and the name by which a builder asks for the column."""


def canonical(names: Sequence[str], renamed: Renamed) -> list[str]:
    """The names of a table's columns, those of other releases replaced where the asked-for name is not there.

    >>> canonical(["targetId", "associationScore"], (("associationScore", "score"),))
    ['targetId', 'score']
    """
    taken, found = set(names), list(names)
    for other, name in renamed:
        if name not in taken and other in taken:
            found[found.index(other)] = name
            taken.add(name)
    return found


def require_columns(path: Path, columns: Iterable[str], found: Sequence[str], renamed: Renamed = ()) -> None:
    """Check that a table has the columns that it should have.

    Raises:
        SourceFormatError: One is missing; the message has the names that were looked for and those that are there.
    """
    others: Mapping[str, list[str]] = {
        column: [other for other, name in renamed if name == column] for column in columns
    }
    missing = [" or ".join(map(repr, (name, *others[name]))) for name in others if name not in found]
    if missing:
        shown = ", ".join(found[:12]) + (", ..." if len(found) > 12 else "")
        has = f"the file has {len(found)} columns: {shown}" if found else "the file is empty"
        message = f"{path}: no column {', '.join(missing)}; {has}"
        raise SourceFormatError(message)
