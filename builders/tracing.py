"""Why a gene is in a task or not: every step from the source's rows to the task's, for one gene."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from builders.audit import Audit
from builders.base import GeneTaskBuilder
from builders.catalog import Built, builder_of, load
from builders.config import ENTITY_COLUMNS, TaskConfig
from builders.errors import UnknownGeneError, UnknownTaskError
from builders.labels import one_row_per_entity
from builders.raw_files import RawFiles
from builders.symbols import Match
from builders.symbols.unknown import UNKNOWN
from builders.text import some
from builders.user_builders import one_line_failures

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Identifier", "SourceRow", "TaskRow", "Trace", "trace"]

Label = str | float | tuple[str, ...]


@dataclass(frozen=True)
class Identifier:
    """An identifier as the source has it, and what it resolved to.

    Args:
        column: "symbol", "symbol_a", "symbol_b", or one of these with "_alt" for a second identifier.
        text: The identifier.
        status: See `builders.symbols.Status`; always "current" in a source that is packaged with current symbols.
        symbol: Current symbol, None if there is none.
        candidates: Symbols it could stand for, if it is ambiguous.
    """

    column: str
    text: str
    status: str
    symbol: str | None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceRow:
    """A row of the source that names the gene: `number` among those read (from 0), its identifiers and its label."""

    number: int
    identifiers: tuple[Identifier, ...]
    label: Label


@dataclass(frozen=True)
class TaskRow:
    """A row of the finished task: entity column -> identifier, label by name, and fold column -> fold."""

    entity: Mapping[str, str]
    label: Label
    folds: Mapping[str, int | list[int]]


@dataclass(frozen=True)
class Trace:
    """What a task made of a gene.

    Args:
        task: Task id.
        gene: The gene as it was asked for.
        symbol: Its current symbol; None if it is ambiguous, withdrawn, or no gene of HGNC.
        status: How the symbol was found, or why not; see `builders.symbols.Status`.
        candidates: Symbols it could stand for, if it is ambiguous.
        rows_read: Rows of the source that name the gene.
        source_rows: The first `limit` of them.
        duplicates: Rows that were merged with another of the same entity.
        conflicts: Entities with the gene that were left out, since their rows disagree.
        labels_dropped: The gene's labels that are too rare for the task -> their number of entities.
        n_entities: Rows of the task that hold the gene.
        task_rows: The first `limit` of them.
    """

    task: str
    gene: str
    symbol: str | None
    status: str
    candidates: tuple[str, ...]
    rows_read: int
    source_rows: tuple[SourceRow, ...]
    duplicates: int
    conflicts: int
    labels_dropped: Mapping[str, int]
    n_entities: int
    task_rows: tuple[TaskRow, ...]

    @property
    def verdict(self) -> str:
        """One sentence: whether the gene is in the task, else the first step that it did not pass."""
        if self.n_entities:
            return f"in the task, with {self.n_entities:,} row{'s' if self.n_entities > 1 else ''}"
        if self.status == "ambiguous":
            return f"not in the task: the name stands for several genes ({', '.join(self.candidates)})"
        if not self.rows_read:
            return "not in the task: no row of the source with a label names it"
        if self.symbol is None:
            return f"not in the task: the identifier is {self.status}"
        if self.conflicts:
            return "not in the task: its rows disagree on the label"
        if self.labels_dropped:
            return f"not in the task: its class is too rare ({some(self.labels_dropped)})"
        return "not in the task: a row that names it has another identifier without a current symbol"


def trace(gene: str, name: str, raw: RawFiles | None = None, *, limit: int = 20) -> Trace:
    """Follow a gene through the making of a task.

    Args:
        gene: A symbol, current or not, or an identifier of HGNC, Ensembl, Entrez or UniProt.
        name: Task id.
        raw: Raw files; the task is built from them if the cache lacks it. Default: a new `RawFiles()`.
        limit: How many rows to list.

    Raises:
        UnknownTaskError: There is no such task, or it is a table, or about sequences.
        UnknownGeneError: Neither HGNC nor the source has this name; the message has the nearest ones.
        MissingFileError: A raw file is not there: the source's rows are in no cache.
    """
    kind, raw = builder_of(name), raw or RawFiles()
    config = kind.builder_configs[name]
    if not isinstance(config, TaskConfig):
        message = f"{name} is a table; expected a task, see `gene-bench tasks`"
        raise UnknownTaskError(message)
    if config.entity == "sequence":
        message = f"{name} is about sequences; expected a task about genes, see `gene-bench tasks`"
        raise UnknownTaskError(message)
    built = load(name, raw, rebuild=True)
    with one_line_failures(name, kind):
        builder = kind(name, raw=raw)
        rows = builder.source_rows()
        asked = _resolve(builder, gene.strip(), rows)
        named = _rows_that_name(builder, rows, gene.strip(), asked.symbol)
        audit = Audit()
        labels = _labels(builder, rows.loc[named], asked.symbol, audit)
    found = _task_rows(built, asked.symbol)
    return Trace(
        task=name,
        gene=gene,
        symbol=asked.symbol,
        status=asked.status,
        candidates=asked.candidates,
        rows_read=len(named),
        source_rows=tuple(_source_row(builder, rows, number) for number in named[:limit]),
        duplicates=audit.duplicates_collapsed,
        conflicts=audit.conflicts_dropped,
        labels_dropped={label: n for label, n in built.audit.labels_dropped.items() if label in labels},
        n_entities=len(found),
        task_rows=tuple(_task_row(built, number) for number in found[:limit]),
    )


def _resolve(builder: GeneTaskBuilder, gene: str, rows: pd.DataFrame) -> Match:
    """What the gene as asked for resolves to, by every step there is: the source may use fewer."""
    import pandas as pd

    columns = _identifier_columns(builder, rows)
    in_source = any((rows[column] == gene).any() for column in columns)
    if builder.PACKAGED:
        known = pd.unique(rows[columns].to_numpy().ravel()).tolist()
        match = Match(gene, "current") if in_source else Match(None, "unmapped")
    else:
        (match,) = builder.resolver().resolve([gene]).matches
        table = builder.hgnc()
        known = table.loc[table["status"] == "Approved", "symbol"].tolist()
    if match.status == "unmapped" and not in_source:
        # Symbols differ from one another in a letter or digit: case is no difference here.
        names = {name.upper(): name for name in known}
        near = [names[name] for name in difflib.get_close_matches(gene.upper(), names, n=3)]
        hint = f"; did you mean {' or '.join(near)}?" if near else "; expected a symbol, or an id of HGNC or Ensembl"
        kind = f" ({match.note})" if match.note not in ("", UNKNOWN) else ""
        message = f"no gene '{gene}' in {'HGNC or ' if not builder.PACKAGED else ''}{builder.SOURCE.title}{kind}{hint}"
        raise UnknownGeneError(message)
    return match


def _identifier_columns(builder: GeneTaskBuilder, rows: pd.DataFrame) -> list[str]:
    return [name for key in builder.symbol_columns for name in (key, f"{key}_alt") if name in rows]


def _rows_that_name(builder: GeneTaskBuilder, rows: pd.DataFrame, gene: str, symbol: str | None) -> list[int]:
    """Rows with the gene as it was asked for, under its current symbol, or among what an identifier could stand for."""
    import pandas as pd

    named = pd.Series(data=False, index=rows.index)
    for column in _identifier_columns(builder, rows):
        texts = rows[column].str.strip()
        named |= texts == gene
        if not builder.PACKAGED and symbol is not None:
            resolution = builder.resolver().resolve(rows[column].tolist(), by=builder.RESOLVE_BY)
            named |= pd.Series(resolution.symbols, dtype=object) == symbol
            named |= rows[column].isin([text for text, names in resolution.ambiguous.items() if symbol in names])
    numbers: list[int] = named[named].index.tolist()
    return numbers


def _labels(builder: GeneTaskBuilder, rows: pd.DataFrame, symbol: str | None, audit: Audit) -> set[str]:
    """Labels of the gene by name, merged over its rows; `audit` takes the counts of duplicates and conflicts."""
    keys = list(ENTITY_COLUMNS[builder.config.entity])
    rows = builder.resolve(rows.reset_index(drop=True))
    if builder.config.entity == "gene_pair":
        rows = builder.unordered(rows, keys)
    rows = rows[(rows[builder.symbol_columns] == symbol).any(axis=1)]
    merged = one_row_per_entity(rows, keys, builder.config.duplicates, audit)
    cells = merged["label"].tolist()
    return {str(label) for cell in cells for label in (cell if isinstance(cell, frozenset) else [cell])}


def _source_row(builder: GeneTaskBuilder, rows: pd.DataFrame, number: int) -> SourceRow:
    identifiers = []
    for column in _identifier_columns(builder, rows):
        text = rows[column][number]
        if builder.PACKAGED:
            match = Match(text, "current")
        else:
            (match,) = builder.resolver().resolve([text], by=builder.RESOLVE_BY).matches
        identifiers.append(Identifier(column, text, match.status, match.symbol, match.candidates))
    label = rows["label"][number]
    return SourceRow(number, tuple(identifiers), tuple(sorted(label)) if isinstance(label, frozenset) else label)


def _task_rows(built: Built, symbol: str | None) -> list[int]:
    import numpy as np

    columns = [name for name in built.dataset.column_names if name.startswith("symbol")]
    hits = [np.asarray(built.dataset[name][:], dtype=object) == symbol for name in columns]
    numbers: list[int] = np.flatnonzero(np.any(hits, axis=0)).tolist()
    return numbers


def _task_row(built: Built, number: int) -> TaskRow:
    row: dict[str, Any] = built.dataset[number]
    feature = built.dataset.features["label"]
    names: list[str] | None = getattr(getattr(feature, "feature", feature), "names", None)
    value = row.pop("label")
    assert isinstance(built.config, TaskConfig)
    folds = {name: value for name, value in row.items() if name.startswith("fold")}
    entity = {name: row[name] for name in ENTITY_COLUMNS[built.config.entity]}
    label = value if names is None else tuple(names[i] for i in value) if isinstance(value, list) else names[value]
    return TaskRow(entity, label, folds)
