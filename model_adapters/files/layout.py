"""Decides which part of a file names genes and which holds their vectors, and records it in the `Reading`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.base import Resolve
from model_adapters.errors import VectorsError, did_you_mean, some
from model_adapters.files import identifiers as ids
from model_adapters.files.identifiers import odd_names
from model_adapters.files.reading import Reading
from model_adapters.files.sheets import LIST, NUMBER, OTHER, TEXT, Sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 0.5
TOO_LONG = 40
"""Mean number of characters from which cells are prose rather than identifiers."""
VECTOR_NAMES = ("embedding", "embeddings", "vector", "vectors", "emb")
EXPECTED = "expected a column of gene identifiers, and a column of lists or one numeric column for each dimension"


@dataclass(frozen=True)
class Ask:
    """What a user asked of a reader.

    Args:
        where: File or object, for messages.
        resolve: Maps identifiers to symbols; without it they are taken as they are.
        id: Column or array of identifiers.
        columns: Pattern of the dimensions' names (`d*`).
        ids: "entrez" if whole numbers are Entrez ids whatever they look like.
        key: Array of a file with several.
        genes: List of genes of an array.
    """

    where: str
    resolve: Resolve | None = None
    id: str | None = None
    columns: str | None = None
    ids: str | None = None
    key: str | None = None
    genes: Path | None = None


@dataclass(frozen=True)
class Identified:
    """One column of n identifiers, looked up.

    Args:
        column: Its name.
        names: As the file has them; None if blank.
        symbols: Current symbols, None where unknown.
        statuses: How each was found, or why not.
    """

    column: str
    names: Sequence[str | None]
    symbols: Sequence[str | None]
    statuses: Sequence[str]

    @property
    def share(self) -> float:
        """Share of the names, blank ones aside, that have a symbol."""
        present = sum(name is not None for name in self.names)
        return sum(symbol is not None for symbol in self.symbols) / present if present else 0.0

    @property
    def exact_share(self) -> float:
        """The same without names that match only when case is ignored: `d1` and `d2` are not genes."""
        by_case = sum(status == "case" for status in self.statuses)
        present = sum(name is not None for name in self.names)
        return self.share - by_case / present if present else 0.0

    @property
    def is_distinct(self) -> bool:
        """Whether most names are different: a biotype or a chromosome may have the name of a gene, in every row."""
        return len(set(self.names)) > len(self.names) * MOST


@dataclass(frozen=True)
class Rows:
    """What a file of vectors holds.

    Args:
        names: n identifiers of genes, of any kind.
        vectors: (n, d) numbers.
        symbols: the file's own symbol of each row, used where `names` does not resolve; None if it has none.
        counts: what else a user should know about the file, such as how much of it was left out.
        identified: columns of identifiers that were looked up, the first before its fallbacks; `names` is the first.
        reading: what was decided.
    """

    names: Sequence[str | None]
    vectors: NDArray[Any]
    symbols: Sequence[str | None] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    identified: Sequence[Identified] = ()
    reading: Reading = field(default_factory=Reading)


def look_up(column: str, names: Sequence[object], resolve: Resolve | None) -> Identified:
    """Resolve identifiers; a resolver with a method `explain` also says how each was found."""
    cleaned = [ids.clean(name) for name in names]
    if resolve is None:
        return Identified(column, cleaned, cleaned, ["blank" if name is None else "as given" for name in cleaned])
    present = [name for name in cleaned if name is not None]
    if callable(explain := getattr(resolve, "explain", None)):
        found = iter(list(explain(present)))
    else:
        symbols = resolve(present) if present else []
        found = iter([(symbol, "known" if symbol is not None else "unknown") for symbol in symbols])
    pairs = [(None, "blank") if name is None else next(found) for name in cleaned]
    for row, (name, (symbol, _)) in enumerate(zip(cleaned, pairs, strict=True)):
        # A missing value that is spelled out is not a gene in another case, unlike the symbol NA itself.
        if symbol not in (None, name) and str(name).casefold() == str(symbol).casefold() in ids.MISSING_WORDS:
            pairs[row] = (None, "unknown")
    return Identified(column, cleaned, [symbol for symbol, _ in pairs], [str(status) for _, status in pairs])


def choose_identifiers(candidates: Mapping[str, Sequence[object]], ask: Ask, reading: Reading) -> list[Identified]:
    """Choose the columns that name genes, the best first; the others go to `reading.left_out`.

    Raises:
        VectorsError: none of them does, or it is not clear which.
    """
    if ask.id is not None:
        if ask.id not in candidates:
            there = f"it has {some(candidates, limit=8) or 'none'}{did_you_mean(ask.id, candidates)}"
            message = f"{ask.where} has no column or array of identifiers {ask.id!r}, {there}"
            raise VectorsError(message)
        reading.left_out |= {name: "not asked for" for name in candidates if name != ask.id}
        candidates = {ask.id: candidates[ask.id]}
    accepted, numbers = [], []
    for column, names in candidates.items():
        identified = look_up(column, names, ask.resolve)
        if wrong := _no_identifiers(identified, ask):
            reading.left_out[column] = wrong
            numbers += [identified] if "numbers" in wrong else []
        else:
            accepted.append(identified)
    if not accepted:
        raise VectorsError(_none_message(numbers, reading, ask))
    chosen = _best(accepted, ask)
    reading.left_out |= {other.column: "text that names no genes" for other in accepted if other not in chosen}
    reading.identifier_columns = [one.column for one in chosen]
    return chosen


def _no_identifiers(identified: Identified, ask: Ask) -> str:
    """Say why a column does not name genes; empty if it may."""
    if not any(identified.names):
        return "empty"
    if ask.ids == "entrez" or not ids.are_whole_numbers(identified.names):
        return ""
    if ids.are_row_numbers(identified.names):
        return "row numbers"
    if ask.resolve is None:
        named = ask.id is not None or ids.normal(identified.column) in ids.COLUMN_NAMES
        return "" if named else "whole numbers"
    if identified.share > MOST:
        return ""
    known, n = sum(symbol is not None for symbol in identified.symbols), len(identified.names)
    return f"whole numbers of which {known:,} of {n:,} are Entrez ids"


def _none_message(numbers: Sequence[Identified], reading: Reading, ask: Ask) -> str:
    if numbers:
        first = numbers[0]
        shown = some(name for name in first.names if name is not None)
        return (
            f"{ask.where}: {first.column or 'the index'} holds {reading.left_out[first.column]} ({shown}), no genes; "
            "name the column of genes with id=COLUMN, or add ids=entrez if these are Entrez ids"
        )
    return f"{ask.where} names no gene: no column of identifiers; {EXPECTED}"


def _best(accepted: Sequence[Identified], ask: Ask) -> list[Identified]:
    def rank(one: Identified) -> int:
        name = ids.normal(one.column)
        known = (*ids.COLUMN_NAMES, *ids.INDEX_NAMES)
        return known.index(name) if name in known else len(known)

    if ask.resolve is not None:
        found = [(one.column != "symbol", -sum(symbol is not None for symbol in one.symbols)) for one in accepted]
        order = sorted(range(len(accepted)), key=lambda i: (*found[i], rank(accepted[i])))
        good = [accepted[i] for i in order if accepted[i].share > MOST and (i == order[0] or accepted[i].is_distinct)]
        return good or [min(accepted, key=lambda one: (-one.share, rank(one)))]
    named = sorted((one for one in accepted if ids.may_name_genes(one.column)), key=rank)
    distinct = [one for one in accepted if one.is_distinct]
    if not named and len(accepted) > 1 and len(distinct) != 1:
        columns = some((one.column for one in accepted), limit=8)
        message = f"{ask.where} has several columns of text ({columns}); name the one of genes with id=COLUMN"
        raise VectorsError(message)
    return named or distinct or list(accepted)


def rows_of_array(candidates: Mapping[str, Sequence[object]], vectors: Any, ask: Ask) -> Rows:
    """Put names and an array together; the array may have genes as columns, where the counts say so.

    Raises:
        VectorsError: not a two-dimensional array of real numbers, no names, or not as many names as rows or columns.
    """
    if isinstance(vectors, np.ma.MaskedArray):
        message = f"{ask.where}: a masked array; expected plain numbers, leave out genes that have none"
        raise VectorsError(message)
    if vectors.ndim != 2 or not vectors.size or vectors.dtype.kind not in "fiu":
        message = f"{ask.where} holds {vectors.dtype} of shape {vectors.shape}, expected numbers of shape (genes, d)"
        raise VectorsError(message)
    fitting = {name: names for name, names in candidates.items() if len(names) == len(vectors)}
    reading = Reading()
    if not fitting:
        fitting = {name: names for name, names in candidates.items() if len(names) == vectors.shape[1]}
        if not fitting:
            counts = " and ".join(f"{name} names {len(names):,} genes" for name, names in candidates.items())
            message = f"{counts or 'nothing names genes'}, but {ask.where} has {len(vectors):,} rows"
            raise VectorsError(message + "; expected one name for each row")
        vectors = vectors.T
        reading.notes.append("genes are the columns of the array; it was transposed")
    reading.left_out |= {
        name: f"{len(names):,} names for {len(vectors):,} rows"
        for name, names in candidates.items()
        if name not in fitting
    }
    chosen = choose_identifiers(fitting, ask, reading)
    reading.name_dimensions(vectors.shape[1])
    return Rows(chosen[0].names, vectors, identified=chosen, reading=reading)


def rows_of_sheet(sheet: Sheet, ask: Ask) -> Rows:
    """Take the identifiers and the vectors of a table.

    Raises:
        VectorsError: no column names genes, or none holds vectors.
    """
    if not sheet.rows:
        message = f"{ask.where} has no rows, expected one for each gene"
        raise VectorsError(message)
    reading = Reading()
    lists, numbers = sheet.of_kind(LIST), sheet.of_kind(NUMBER)
    reading.left_out |= {name: "neither numbers nor text" for name in sheet.of_kind(OTHER)}
    candidates = _candidates(sheet, numbers, reading, ask)
    numbers = [name for name in numbers if name not in candidates]
    if (genes := _genes_as_columns(candidates, numbers, ask)) is not None:
        return _transposed(sheet, candidates, numbers, genes, ask)
    if not candidates:
        if called := [name for name in numbers if ids.may_name_genes(name)]:
            message = f"{ask.where}: column {called[0]!r} holds numbers that are not identifiers of genes"
            raise VectorsError(message)
        columns = some(sheet.kinds, limit=8) or "none"
        message = f"{ask.where} has no column of gene identifiers, its columns are {columns}; {EXPECTED}"
        raise VectorsError(message)
    chosen = choose_identifiers(candidates, ask, reading)
    names = chosen[0].names
    if lists:
        column = _vector_column(lists, ask)
        reading.left_out |= {name: "beside the column of vectors" for name in (*lists, *numbers) if name != column}
        vectors = sheet.lists(column, [name or "" for name in names], where=ask.where)
        reading.name_dimensions(vectors.shape[1])
        return Rows(names, vectors, identified=chosen, reading=reading)
    dimensions = _dimensions(sheet, numbers, reading, ask)
    reading.name_dimensions(len(dimensions), dimensions)
    return Rows(names, sheet.stack(dimensions), identified=chosen, reading=reading)


def _candidates(sheet: Sheet, numbers: Sequence[str], reading: Reading, ask: Ask) -> dict[str, list[str | None]]:
    """Columns that may name genes: text, and whole numbers in a column that has such a name or was asked for."""
    found = {}
    for name in sheet.of_kind(TEXT):
        cells = sheet.texts(name)
        sample = [cell for cell in cells[:100] if cell]
        prose = sample and sum(map(len, sample)) / len(sample) > TOO_LONG
        if prose and name != ask.id and not ids.may_name_genes(name):
            reading.left_out[name] = "prose"
        else:
            found[name] = cells
    for name in numbers:
        if name == ask.id or (ids.may_name_genes(name) and sheet.whole(name)):
            found[name] = sheet.texts(name)
    return found


def _genes_as_columns(
    candidates: Mapping[str, Sequence[str | None]], numbers: Sequence[str], ask: Ask
) -> Identified | None:
    """Return the names of numeric columns if most are genes, and the text of no column is."""
    if ask.resolve is None or ask.id is not None or len(numbers) < ids.FEW:
        return None
    if ids.are_whole_numbers(numbers):
        return None
    columns = look_up("the names of the columns", numbers, ask.resolve)
    if columns.exact_share <= MOST:
        return None
    rows = (look_up(name, cells, ask.resolve) for name, cells in candidates.items())
    return None if any(one.exact_share > MOST and not _no_identifiers(one, ask) for one in rows) else columns


def _transposed(
    sheet: Sheet, labels: Mapping[str, object], numbers: Sequence[str], genes: Identified, ask: Ask
) -> Rows:
    reading = Reading(identifier_columns=[genes.column])
    reading.notes.append("genes are the columns of the table; it was transposed")
    reading.left_out |= {name: "names of the dimensions" for name in labels}
    reading.name_dimensions(sheet.rows)
    return Rows(genes.names, sheet.stack(numbers).T, identified=[genes], reading=reading)


def _vector_column(lists: Sequence[str], ask: Ask) -> str:
    wanted = [name for name in lists if ask.columns is not None and fnmatchcase(name, ask.columns)]
    usual = [name for name in lists if ids.normal(name) in VECTOR_NAMES]
    chosen = wanted if ask.columns is not None else usual[:1] or lists
    if len(chosen) != 1:
        message = f"{ask.where} has {some(lists, limit=8)} with lists of numbers; choose one with columns=NAME"
        raise VectorsError(message)
    return chosen[0]


def _dimensions(sheet: Sheet, numbers: Sequence[str], reading: Reading, ask: Ask) -> list[str]:
    if ask.columns is not None:
        chosen = [name for name in numbers if fnmatchcase(name, ask.columns)]
        reading.left_out |= {name: "not asked for" for name in numbers if name not in chosen}
    else:
        rows = [name for name in numbers if (ids.normal(name) in ids.INDEX_NAMES or sheet.counts_rows(name))]
        reading.left_out |= {name: "row numbers" for name in rows}
        chosen = [name for name in numbers if name not in rows]
    if not chosen:
        columns = some(sheet.kinds, limit=8)
        what = f"no numeric column like {ask.columns!r}" if ask.columns else "no numeric column for dimensions"
        message = f"{ask.where} has {what}, its columns are {columns}; {EXPECTED}"
        raise VectorsError(message)
    if odd := odd_names(chosen):
        shown = some(odd)
        reading.notes.append(f"{shown} taken as dimensions too; choose with columns=PATTERN if they are none")
    return chosen
