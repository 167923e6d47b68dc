"""Resolves the gene identifiers of every source to current HGNC symbols, offline and without guessing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders.readers.tables import read_table
from builders.symbols.forms import accessions, r_name, split_pair, spreadsheet_dates, without_number
from builders.symbols.hgnc import HGNC_COLUMNS, HGNC_RENAMED, split_cell
from builders.symbols.resolution import Match, Resolution, Status
from builders.symbols.unknown import MISSING_WORDS, why_unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ALL_STEPS", "SymbolResolver", "read_identifier_map"]

# Step -> columns of the identifiers that it knows, lists separated by "|".
_COLUMNS: dict[Status, tuple[str, ...]] = {
    "current": ("symbol",),
    "hgnc": ("hgnc_id",),
    "ensembl": ("ensembl_gene_id",),
    "entrez": ("entrez_id",),
    "uniprot": ("uniprot_ids",),
    "ortholog": ("mgd_id", "rgd_id"),
    "previous": ("prev_symbol",),
    "alias": ("alias_symbol",),
}
# Everything but "ortholog": that a mouse gene stands for its human ortholog is the caller's to say.
ALL_STEPS: tuple[Status, ...] = (
    *("mapped", "current", "hgnc", "ensembl", "entrez", "uniprot", "previous", "alias", "case", "r_name", "date"),
)
_SYMBOL_STEPS: tuple[Status, ...] = ("current", "previous", "alias")


class SymbolResolver:
    """Turns Ensembl, Entrez, UniProt and HGNC ids and approved, previous and alias symbols into current HGNC symbols.

    The order is: approved symbol, accession, previous symbol (it was the approved one once), alias, then the three
    kinds of symbol regardless of case, then a name that R changed, then a symbol that a spreadsheet took for a date.
    The first step that knows the identifier decides; if it stands for more than one gene there, it is ambiguous and
    gets no symbol. Each identifier is judged by itself, never by the others of its list.

    Args:
        table: HGNC's complete set, one row per gene, text columns as downloaded (lists separated by "|").
        identifier_map: Further identifiers -> what HGNC knows them by, for proteins, transcripts, array probes or mouse
            symbols (see `read_identifier_map`). It decides before all other steps.

    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     [["HGNC:26077", "MARCHF1", "Approved", "RNF171", "MARCH1", "55016", "ENSG00000145416", "Q8TCQ1"]],
    ...     columns=HGNC_COLUMNS,
    ... )
    >>> SymbolResolver(table).resolve(["MARCH1", "ENSG00000145416.7", "55016", "1-Mar", "nan"]).symbols
    ['MARCHF1', 'MARCHF1', 'MARCHF1', 'MARCHF1', None]
    """

    def __init__(self, table: pd.DataFrame, *, identifier_map: Mapping[str, str | Sequence[str]] | None = None) -> None:
        gone = table[table["status"] != "Approved"]
        self._withdrawn = {*gone["hgnc_id"], *gone["symbol"], *gone["symbol"].str.removesuffix("~withdrawn")}
        approved = table[table["status"] == "Approved"]
        # The ortholog columns are not among those that a table must have.
        columns = [name for names in _COLUMNS.values() for name in names if name in approved]
        self._cells: dict[str, list[str]] = {name: approved[name].tolist() for name in columns}
        # Sixty tasks of one source ask for the same identifiers.
        self._known: dict[tuple[Status, ...], dict[str, Match]] = {}
        self._map = identifier_map or {}

    @cached_property
    def _index(self) -> dict[Status, dict[str, set[str]]]:
        return {status: self._index_of(columns) for status, columns in _COLUMNS.items()}

    @cached_property
    def _folded(self) -> dict[Status, dict[str, set[str]]]:
        return {status: _by_form(self._index[status], str.casefold) for status in _SYMBOL_STEPS}

    @cached_property
    def _r_names(self) -> dict[Status, dict[str, set[str]]]:
        # R changes none of the names that are a letter followed by letters and digits.
        changed = {
            status: {
                name: genes for name, genes in self._index[status].items() if not (name.isalnum() and name[0].isalpha())
            }
            for status in _SYMBOL_STEPS
        }
        return {status: _by_form(index, r_name) for status, index in changed.items()}

    def _index_of(self, columns: Sequence[str]) -> dict[str, set[str]]:
        index: dict[str, set[str]] = defaultdict(set)
        for column in columns:
            for symbol, cell in zip(self._cells["symbol"], self._cells.get(column, ()), strict=False):
                # Most cells hold one identifier or none.
                for identifier in split_cell(cell) if "|" in cell or ", " in cell else (cell,):
                    index[identifier].add(symbol)
        # A look-up must not add a key.
        index.pop("", None)
        return dict(index)

    @classmethod
    def from_hgnc(
        cls, path: str | Path, *, identifier_map: Mapping[str, str | Sequence[str]] | None = None
    ) -> SymbolResolver:
        """Read `hgnc_complete_set.txt` as HGNC publishes it (plain or gzipped).

        Raises:
            SourceFileError: The file cannot be read.
            SourceFormatError: A column is missing.
        """
        table = read_table(Path(path), HGNC_COLUMNS, all_columns=True, renamed=HGNC_RENAMED)
        return cls(table, identifier_map=identifier_map)

    @classmethod
    def from_genes(cls, genes: Mapping[str, Sequence[Any]]) -> SymbolResolver:
        """Take the identifiers of a built gene table (`load("genes").dataset`) instead of HGNC's file.

        It has the approved genes only, so that withdrawn symbols are unmapped here, one UniProt accession of each, and
        no orthologs.
        """
        import pandas as pd

        table = {name: genes[name][:] for name in ("hgnc_id", "symbol", "entrez_id", "ensembl_gene_id")}
        table["uniprot_ids"] = genes["uniprot_id"][:]
        table |= {name: ["|".join(cell) for cell in genes[f"{name}s"][:]] for name in ("alias_symbol", "prev_symbol")}
        return cls(pd.DataFrame(table, dtype=str).assign(status="Approved"))

    def resolve(self, identifiers: Iterable[str], *, by: Collection[Status] = ALL_STEPS) -> Resolution:
        """Look up identifiers of any kind, mixed or not; "NA" and "nan" are identifiers like any other.

        Args:
            identifiers: Strings; surrounding white space is ignored.
            by: Steps to use. A list that also holds genes of other species should not be matched by alias or case:
                in Reactome `US2` and `tat` are viral, not the human RPSA (alias uS2) and TAT. With "ortholog" the MGI
                and RGD ids of mouse and rat genes stand for their human orthologs. A bare number is an Entrez id, or,
                without that step, an HGNC id.

        Returns:
            One match per identifier, in order.
        """
        given = tuple(identifiers)
        known = self._known.setdefault(tuple(by), {})
        known.update((name, self._match(name.strip(), by)) for name in dict.fromkeys(given) if name not in known)
        return Resolution(given, tuple(known[identifier] for identifier in given))

    def _match(self, identifier: str, by: Collection[Status]) -> Match:
        if identifier in self._map and "mapped" in by:
            return self._mapped(identifier, by)
        if identifier and identifier in self._index["current"]:
            return Match(identifier, "current")
        for status, candidates in self._steps(identifier, by) if identifier else ():
            if status not in by:
                continue
            if len(candidates) == 1:
                return Match(next(iter(candidates)), status)
            if candidates:
                return Match(None, "ambiguous", tuple(sorted(candidates)))
        if pair := split_pair(identifier):
            # The id outlives the symbol, which speaks where HGNC does not list the id.
            by_id, by_symbol = (self._match(part, by) for part in pair)
            return by_id if by_id.status not in ("unmapped", "withdrawn") else by_symbol
        # HGNC never uses an id twice, so an id that the complete set lacks has been withdrawn.
        is_id = identifier.upper().startswith("HGNC:") and any(accessions(identifier))
        if is_id or identifier in self._withdrawn or identifier.endswith("~withdrawn"):
            return Match(None, "withdrawn")
        return Match(None, "unmapped", note=why_unknown(identifier))

    def _mapped(self, identifier: str, by: Collection[Status]) -> Match:
        targets = self._map[identifier]
        names = [targets] if isinstance(targets, str) else targets
        steps = {*by, "ortholog"} - {"mapped"}
        matches = [self._match(name, steps) for name in names]
        found = {
            symbol for match in matches for symbol in (match.candidates if match.symbol is None else (match.symbol,))
        }
        candidates = tuple(sorted(found))
        if len(candidates) == 1:
            return Match(candidates[0], "mapped")
        if candidates:
            return Match(None, "ambiguous", candidates)
        return Match(None, "unmapped", note=f"mapped to {', '.join(names)}, which HGNC does not know")

    def _steps(self, identifier: str, by: Collection[Status]) -> Iterator[tuple[Status, set[str]]]:
        bare = "hgnc" if "hgnc" in by and "entrez" not in by else "entrez"
        # Some old symbols look like a UniProt accession (O3FAR1, H2AFB1); an accession counts only if it is known.
        for kind, accession in accessions(identifier, bare=bare):  # type: ignore[arg-type]
            yield kind, self._index[kind].get(accession, set())
        for status in _SYMBOL_STEPS:
            yield status, self._index[status].get(identifier, set())
        folded = identifier.casefold()
        # "nan" is a missing value, not a gene of that name; "NA" was a symbol once, and is matched as it stands.
        if folded not in MISSING_WORDS:
            for status in _SYMBOL_STEPS:
                yield "case", self._folded[status].get(folded, set())
        yield "r_name", self._r_candidates(identifier)
        for step in zip(*(self._symbol_steps(symbol) for symbol in _dates(identifier)), strict=True):
            yield "date", set().union(*step)

    def _symbol_steps(self, symbol: str) -> Iterator[set[str]]:
        for status in _SYMBOL_STEPS:
            yield self._index[status].get(symbol, set())
        for status in _SYMBOL_STEPS:
            yield self._folded[status].get(symbol.casefold(), set())

    def _r_candidates(self, identifier: str) -> set[str]:
        """Genes whose name R turns into this one: HLA-A into HLA.A, a second TBCE into TBCE.1."""
        found = next((names[identifier] for names in self._r_names.values() if identifier in names), set())
        base = without_number(identifier)
        if base is None:
            return found
        # Approved symbols alone: LMX1.2 is LMX1B, though LMX1 was once the symbol of LMX1A.
        return found | ({base} if base in self._index["current"] else self._r_names["current"].get(base, set()))


def read_identifier_map(path: str | Path, source: str, target: str, *, sep: str = "\t") -> dict[str, list[str]]:
    """Read a map of identifiers for `SymbolResolver`: Ensembl proteins to genes, say, or mouse symbols to MGI ids.

    Args:
        path: Table with a header line, plain, gzipped or zipped.
        source: Column of the identifiers to be mapped.
        target: Column of what HGNC knows: a symbol, an Ensembl, Entrez, UniProt, HGNC, MGI or RGD id.
        sep: Cell separator.

    Returns:
        Identifier -> its targets, in the file's order; rows with an empty cell are left out.

    Raises:
        SourceFileError: The file cannot be read.
        SourceFormatError: A column is missing.
    """
    source, target = source.lstrip("#"), target.lstrip("#")
    table = read_table(Path(path), (source, target), sep=sep)
    found: dict[str, list[str]] = {}
    for identifier, name in zip(table[source].str.strip(), table[target].str.strip(), strict=True):
        if identifier and name and name not in found.setdefault(identifier, []):
            found[identifier].append(name)
    return {identifier: names for identifier, names in found.items() if names}


def _dates(identifier: str) -> list[str]:
    return [symbol for reading in spreadsheet_dates(identifier) for symbol in reading]


def _by_form(index: dict[str, set[str]], form: Callable[[str], str]) -> dict[str, set[str]]:
    """The index by another form of its identifiers."""
    formed: dict[str, set[str]] = defaultdict(set)
    for identifier, symbols in index.items():
        formed[form(identifier)] |= symbols
    return dict(formed)
