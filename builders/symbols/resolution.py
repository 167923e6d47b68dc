"""What became of identifiers: the match of each, counts by status, and a listing for an audit."""

from collections import Counter
from collections.abc import ItemsView, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from builders.files import write_atomically
from builders.symbols.unknown import looks_like_mouse

__all__ = ["CHANGES", "LISTING_COLUMNS", "Match", "Resolution", "Status"]

Status = Literal[
    "current",
    "hgnc",
    "ensembl",
    "entrez",
    "uniprot",
    "ortholog",
    "mapped",
    "previous",
    "alias",
    "case",
    "r_name",
    "date",
    "ambiguous",
    "withdrawn",
    "unmapped",
]
CHANGES: tuple[Status, ...] = ("previous", "alias", "case", "r_name", "date")
"""Statuses of symbols that were replaced by other ones."""
LISTING_COLUMNS = ("identifier", "symbol", "status", "note")
_BY_NAME: tuple[Status, ...] = ("current", "previous", "alias", "case")


@dataclass(frozen=True)
class Match:
    """What became of one identifier.

    Args:
        symbol: Current HGNC symbol, or None if it was ambiguous, withdrawn or unknown.
        status: How it was found, or why not. "current", "hgnc", "ensembl", "entrez", "uniprot", "ortholog" (an MGI or
            RGD id) and "mapped" (by a map that the caller gave) are identities; "previous", "alias", "case" (equal but
            for upper and lower case), "r_name" (a name that R changed) and "date" (a symbol that a spreadsheet took for
            a date) are changes.
        candidates: The symbols it could stand for, if it was ambiguous.
        note: What an unknown identifier is, as far as its form shows: "special token of a vocabulary", say.
    """

    symbol: str | None
    status: Status
    candidates: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Resolution:
    """What became of a list of identifiers; iterates over the symbols (None where there is none), in order."""

    identifiers: tuple[str, ...]
    matches: tuple[Match, ...]

    def __iter__(self) -> Iterator[str | None]:
        return (match.symbol for match in self.matches)

    def __len__(self) -> int:
        return len(self.matches)

    def __add__(self, other: "Resolution") -> "Resolution":
        return Resolution(self.identifiers + other.identifiers, self.matches + other.matches)

    def or_else(self, second: "Resolution") -> "Resolution":
        """Take the second identifier of a row where the first is blank, or only the second has a symbol."""
        rows = zip(self._rows(), second._rows(), strict=True)
        chosen = [b if a[1].symbol is None and (b[1].symbol is not None or not a[0].strip()) else a for a, b in rows]
        return Resolution(tuple(name for name, _ in chosen), tuple(match for _, match in chosen))

    @property
    def symbols(self) -> list[str | None]:
        """Current symbol of each identifier, None where there is none."""
        return list(self)

    @property
    def changed(self) -> dict[str, str]:
        """Symbols that were replaced by the current one: old -> current."""
        return {
            identifier: match.symbol
            for identifier, match in self._pairs
            if match.symbol is not None and match.status in CHANGES
        }

    @property
    def ambiguous(self) -> dict[str, tuple[str, ...]]:
        """Identifiers that stand for several genes: identifier -> candidates."""
        return {identifier: match.candidates for identifier, match in self._pairs if match.status == "ambiguous"}

    @property
    def withdrawn(self) -> list[str]:
        """Identifiers that HGNC has withdrawn without a successor."""
        return [identifier for identifier, match in self._pairs if match.status == "withdrawn"]

    @property
    def unmapped(self) -> list[str]:
        """Identifiers that HGNC does not know."""
        return [identifier for identifier, match in self._pairs if match.status == "unmapped"]

    @property
    def counts(self) -> dict[str, int]:
        """Number of distinct identifiers per status."""
        return dict(sorted(Counter(match.status for _, match in self._pairs).items()))

    @property
    def unknown_kinds(self) -> dict[str, int]:
        """Number of distinct unknown identifiers per kind ("spike-in control", say), most frequent first."""
        kinds = Counter(match.note for _, match in self._pairs if match.status == "unmapped")
        return dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))

    @property
    def species_warning(self) -> str:
        """A line that asks whether these are mouse or rat genes; empty where most names are as HGNC writes them.

        Case alone makes no ortholog: mouse Ear2 (a ribonuclease) would become NR2F6, whose alias is EAR2.
        """
        named = Counter(match.status for _, match in self._pairs if match.status in _BY_NAME)
        total, by_case = named.total(), named["case"]
        names = [identifier for identifier, match in self._pairs if match.status != "current"]
        if 2 * by_case > total:
            reason = f"{by_case:,} of the {total:,} names that match do so only regardless of case"
        elif len(names) > named["current"] and looks_like_mouse(identifier for identifier, _ in self._pairs):
            reason = "most names are written as symbols of mouse or rat are"
        else:
            return ""
        return f"{reason}; are these mouse or rat genes? map them to human orthologs first"

    def listing(self) -> list[tuple[str, str, str, str]]:
        """One row for each distinct identifier, in order of appearance, with the columns `LISTING_COLUMNS`.

        The symbol is empty where there is none; the note has the candidates of an ambiguous identifier and says what an
        unknown one is.
        """
        return [
            (identifier, match.symbol or "", match.status, ", ".join(match.candidates) or match.note)
            for identifier, match in self._pairs
        ]

    def write_listing(self, path: str | Path) -> None:
        """Write `listing` as a table separated by tabs, with a header line.

        Raises:
            OSError: The file cannot be written.
        """
        rows = [LISTING_COLUMNS, *self.listing()]
        cells = [[" ".join(cell.split()) for cell in row] for row in rows]
        write_atomically(Path(path), "".join("\t".join(row) + "\n" for row in cells))

    def _rows(self) -> Iterator[tuple[str, Match]]:
        return zip(self.identifiers, self.matches, strict=True)

    @cached_property
    def _pairs(self) -> ItemsView[str, Match]:
        return dict(self._rows()).items()
