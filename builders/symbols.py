"""Resolves the gene identifiers of every source to current HGNC symbols, offline and without guessing."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from builders.raw_files import RawFile, Source
from builders.readers.tables import read_table

__all__ = ["HGNC", "HGNC_COLUMNS", "Match", "Resolution", "Status", "SymbolResolver"]

HGNC = Source(
    name="hgnc",
    title="HGNC",
    homepage="https://www.genenames.org/download/",
    version="latest",
    license="CC0-1.0",
    license_url="https://www.genenames.org/about/license/",
    redistributable=True,
    citation="Seal RL et al. Genenames.org: the HGNC resources in 2023. Nucleic Acids Res. 2023;51(D1):D1003-D1009.",
    files={
        "complete_set": RawFile(
            names=("hgnc_complete_set.txt",),
            url="https://storage.googleapis.com/public-download-files/hgnc/tsv/tsv/hgnc_complete_set.txt",
        )
    },
)

Status = Literal[
    "current",
    "hgnc",
    "ensembl",
    "entrez",
    "uniprot",
    "previous",
    "alias",
    "case",
    "date",
    "ambiguous",
    "withdrawn",
    "unmapped",
]

HGNC_COLUMNS = (
    "hgnc_id", "symbol", "status", "alias_symbol", "prev_symbol", "entrez_id", "ensembl_gene_id", "uniprot_ids",
)  # fmt: skip

_HGNC_ID = re.compile(r"(HGNC:\d+)")
# Step -> column of the identifiers that it knows, lists separated by "|".
_COLUMNS: dict[Status, str] = {
    "current": "symbol",
    "hgnc": "hgnc_id",
    "ensembl": "ensembl_gene_id",
    "entrez": "entrez_id",
    "uniprot": "uniprot_ids",
    "previous": "prev_symbol",
    "alias": "alias_symbol",
}
_ACCESSIONS: dict[Status, re.Pattern[str]] = {
    "hgnc": _HGNC_ID,
    "ensembl": re.compile(r"(ENSG\d{11})(?:\.\d+)?(?:_PAR_Y)?"),
    "entrez": re.compile(r"(\d+)"),
    # https://www.uniprot.org/help/accession_numbers, with the isoform suffix
    "uniprot": re.compile(r"([OPQ]\d[A-Z\d]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z\d]{2}\d){1,2})(?:-\d+)?"),
}
ALL_STEPS: tuple[Status, ...] = ("current", "hgnc", "ensembl", "entrez", "uniprot", "previous", "alias", "case", "date")
_SYMBOL_STEPS: tuple[Status, ...] = ("current", "previous", "alias")
# A spreadsheet turns SEPT2 into 2-Sep (or Sep-02): month and number are left, the symbol began with one of these.
_DATE = re.compile(r"(?:(\d{1,2})-([A-Za-z]{3})|([A-Za-z]{3})-(\d{1,2}))")
_DATE_PREFIXES = {"sep": ("SEPT", "SEP"), "mar": ("MARCH", "MARC"), "dec": ("DEC",), "oct": ("OCT",)}


@dataclass(frozen=True)
class Match:
    """What became of one identifier.

    Args:
        symbol: Current HGNC symbol, or None if it was ambiguous, withdrawn or unknown.
        status: How it was found, or why not. "current", "hgnc", "ensembl", "entrez" and "uniprot" are identities;
            "previous", "alias", "case" and "date" (a symbol that a spreadsheet took for a date) are changes.
        candidates: The symbols it could stand for, if it was ambiguous.
    """

    symbol: str | None
    status: Status
    candidates: tuple[str, ...] = ()


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
        """Take the second identifier of a row where the first has no symbol."""
        rows = zip(self._rows(), second._rows(), strict=True)
        chosen = [b if a[1].symbol is None and b[1].symbol is not None else a for a, b in rows]
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
            if match.symbol is not None and match.status in ("previous", "alias", "case", "date")
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

    def _rows(self) -> Iterator[tuple[str, Match]]:
        return zip(self.identifiers, self.matches, strict=True)

    @cached_property
    def _pairs(self) -> ItemsView[str, Match]:
        return dict(self._rows()).items()


class SymbolResolver:
    """Turns Ensembl, Entrez, UniProt and HGNC ids and approved, previous and alias symbols into current HGNC symbols.

    The order is: approved symbol, accession, previous symbol (it was the approved one once), alias, then the three
    kinds of symbol regardless of case, then a symbol that a spreadsheet took for a date. The first step that knows the
    identifier decides; if it stands for more than one gene there, it is ambiguous and gets no symbol.

    Args:
        table: HGNC's complete set, one row per gene, text columns as downloaded (lists separated by "|").

    >>> table = pd.DataFrame(
    ...     [["HGNC:26077", "MARCHF1", "Approved", "RNF171", "MARCH1", "55016", "ENSG00000145416", "Q8TCQ1"]],
    ...     columns=HGNC_COLUMNS,
    ... )
    >>> SymbolResolver(table).resolve(["MARCH1", "ENSG00000145416.7", "55016", "1-Mar", "nan"]).symbols
    ['MARCHF1', 'MARCHF1', 'MARCHF1', 'MARCHF1', None]
    """

    def __init__(self, table: pd.DataFrame) -> None:
        gone = table[table["status"] != "Approved"]
        self._withdrawn = {*gone["hgnc_id"], *gone["symbol"], *gone["symbol"].str.removesuffix("~withdrawn")}
        self._index: dict[Status, dict[str, set[str]]] = {status: defaultdict(set) for status in _COLUMNS}
        table = table[table["status"] == "Approved"]
        symbols = table["symbol"].tolist()
        for status, column in _COLUMNS.items():
            index = self._index[status]
            for symbol, cell in zip(symbols, table[column].tolist(), strict=True):
                for identifier in cell.split("|"):
                    index[identifier].add(symbol)
        # Sixty tasks of one source ask for the same identifiers.
        self._known: dict[tuple[Status, ...], dict[str, Match]] = {}
        self._folded = {status: _fold(self._index[status]) for status in _SYMBOL_STEPS}

    @classmethod
    def from_hgnc(cls, path: str | Path) -> "SymbolResolver":
        """Read `hgnc_complete_set.txt` as HGNC publishes it (plain or gzipped).

        Raises:
            SourceFileError: The file cannot be read.
            SourceFormatError: A column is missing.
        """
        return cls(read_table(Path(path), HGNC_COLUMNS))

    @classmethod
    def from_genes(cls, genes: Mapping[str, Sequence[Any]]) -> "SymbolResolver":
        """Take the identifiers of a built gene table (`load("genes").dataset`) instead of HGNC's file.

        It has the approved genes only, so that withdrawn symbols are unmapped here, and one UniProt accession of each.
        """
        table = {name: genes[name][:] for name in ("hgnc_id", "symbol", "entrez_id", "ensembl_gene_id")}
        table["uniprot_ids"] = genes["uniprot_id"][:]
        table |= {name: ["|".join(cell) for cell in genes[f"{name}s"][:]] for name in ("alias_symbol", "prev_symbol")}
        return cls(pd.DataFrame(table, dtype=str).assign(status="Approved"))

    def resolve(self, identifiers: Iterable[str], *, by: Collection[Status] = ALL_STEPS) -> Resolution:
        """Look up identifiers of any kind, mixed or not; "NA" and "nan" are identifiers like any other.

        Args:
            identifiers: Strings; surrounding white space is ignored.
            by: Steps to use. A list that also holds genes of other species should not be matched by alias or case:
                in Reactome `US2` and `tat` are viral, not the human RPSA (alias uS2) and TAT.

        Returns:
            One match per identifier, in order.
        """
        given = tuple(identifiers)
        known = self._known.setdefault(tuple(by), {})
        known.update((name, self._match(name.strip(), by)) for name in dict.fromkeys(given) if name not in known)
        return Resolution(given, tuple(known[identifier] for identifier in given))

    def _match(self, identifier: str, by: Collection[Status]) -> Match:
        if not identifier:
            return Match(None, "unmapped")
        if identifier in self._index["current"]:
            return Match(identifier, "current")
        for status, candidates in self._steps(identifier):
            if status not in by:
                continue
            if len(candidates) == 1:
                return Match(next(iter(candidates)), status)
            if candidates:
                return Match(None, "ambiguous", tuple(sorted(candidates)))
        # HGNC never uses an id twice, so an id that the complete set lacks has been withdrawn.
        gone = identifier in self._withdrawn or identifier.endswith("~withdrawn") or _HGNC_ID.fullmatch(identifier)
        return Match(None, "withdrawn" if gone else "unmapped")

    def _steps(self, identifier: str) -> Iterator[tuple[Status, set[str]]]:
        upper = identifier.upper()
        for status, pattern in _ACCESSIONS.items():
            # Some old symbols look like a UniProt accession (O3FAR1, H2AFB1); an accession counts only if it is known.
            if match := pattern.fullmatch(upper):
                yield status, self._index[status].get(match[1], set())
        yield from self._symbol_steps(identifier)
        if match := _DATE.fullmatch(identifier):
            month, number = (match[2] or match[3]).lower(), int(match[1] or match[4])
            symbols = [f"{prefix}{number}" for prefix in _DATE_PREFIXES.get(month, ())]
            for step in zip(*(self._symbol_steps(symbol) for symbol in symbols), strict=True):
                yield "date", set().union(*(candidates for _, candidates in step))

    def _symbol_steps(self, symbol: str) -> Iterator[tuple[Status, set[str]]]:
        for status in _SYMBOL_STEPS:
            yield status, self._index[status].get(symbol, set())
        for status in _SYMBOL_STEPS:
            yield "case", self._folded[status].get(symbol.casefold(), set())


def _fold(index: dict[str, set[str]]) -> dict[str, set[str]]:
    folded: dict[str, set[str]] = defaultdict(set)
    for identifier, symbols in index.items():
        folded[identifier.casefold()] |= symbols
    return folded
