"""Models that are tables already: one vector for each identifier, nothing to encode."""

from __future__ import annotations

import copy
import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, Resolve, file_sha256
from model_adapters.embedding.table import EmbeddingTable, real_float32
from model_adapters.errors import AdapterError, UnknownModelError, VectorsError, did_you_mean, one_line, some
from model_adapters.files.identifiers import FEW, likely_reason, looks_like_mouse
from model_adapters.files.layout import Ask, Identified, look_up
from model_adapters.files.layout import Rows as Rows
from model_adapters.files.reading import SAMPLE, Reading
from model_adapters.options import Option, choice, id_with_options, word

if TYPE_CHECKING:
    from datasets import Dataset
    from numpy.typing import NDArray

DUPLICATES = choice("average", "current", "refuse")


ID = word("COLUMN")
COLUMNS = word("PATTERN")
IDS = choice("entrez")


@dataclass(frozen=True)
class _Genes:
    table: EmbeddingTable
    unresolved: tuple[str, ...]
    audit: dict[str, int]
    reading: Reading


class TableModel(ABC):
    """Base of the models whose vectors are in a file: `table()` is the embedding table.

    Rows of one gene, by one identifier or several, are averaged. `duplicates` names another rule: "current" takes the
    first row that has the current symbol, and averages where none has; "refuse" is an error.
    """

    adapter: ClassVar[str]
    version: ClassVar[str]
    info: ClassVar[AdapterInfo]
    OPTIONS: ClassVar[Mapping[str, Option]] = {"duplicates": DUPLICATES}
    revision: str | None

    def __init__(self, name: str, *, where: str, resolve: Resolve | None, options: Mapping[str, Any]) -> None:
        """Name the model; its vectors are read by `table()`.

        Args:
            name: id of the model, without options.
            where: file or dataset, for messages.
            resolve: maps identifiers to symbols; without it they are taken as they are.
            options: values of `OPTIONS` that were chosen; a file among them is part of the revision, not of the id.
        """
        self.where = where
        self._resolve = resolve
        self._chosen = dict(options)
        said = {key: value for key, value in options.items() if isinstance(value, str)}
        # These two rules give the vectors that the file gives without one, so they are not part of the id.
        named = {key: value for key, value in said.items() if value not in ("average", "refuse")}
        self.model_id = id_with_options(name, named, {})
        self.options: Mapping[str, Any] = {"resolved": resolve is not None, **said}

    def table(self) -> Dataset:
        """Return the embedding table, in the order in which the file first names each gene.

        Raises:
            VectorsError: the file does not give one finite vector of one length for each gene.
        """
        return self._genes.table.to_dataset()

    def vector_table(self) -> EmbeddingTable:
        """Return the same table in memory; `embed` and `embed_table` take this one."""
        return self._genes.table

    def as_given(self) -> Self:
        """Return the model with its identifiers taken as they are, whatever they might mean as names of genes."""
        made = copy.copy(self)
        vars(made).pop("_genes", None)
        made._resolve = None
        return made

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Identifiers that `resolve` does not know; they are not in the table."""
        return self._genes.unresolved

    @property
    def audit(self) -> Mapping[str, int]:
        """Counts of rows, genes, rows without a gene and genes with several rows, and those of the reader."""
        return self._genes.audit

    @property
    def reading(self) -> Reading:
        """What was taken for identifiers and for dimensions, and how identifiers resolved; reads the file."""
        return self._genes.reading

    @abstractmethod
    def _read(self) -> Rows:
        """Read the file."""

    def _ask(self) -> Ask:
        """Return what a reader may need: the options, and how identifiers resolve."""
        known = ("id", "columns", "ids", "key", "genes")
        return Ask(self.where, self._resolve, **{name: self._chosen[name] for name in known if name in self._chosen})

    def _read_safely(self) -> Rows:
        """Read the file; whatever a damaged or hostile one raises is one line."""
        try:
            return self._read()
        except (AdapterError, KeyboardInterrupt):
            raise
        # Every parser has its own exceptions, and a file can be made to raise any of them; a panic of one written in
        # Rust is no `Exception`.
        except BaseException as error:
            message = f"{self.where} cannot be read ({one_line(error)}); write it again"
            raise VectorsError(message) from error

    @cached_property
    def _genes(self) -> _Genes:
        rows = self._read_safely()
        reading = rows.reading
        columns = rows.identified or self._looked_up(rows)
        names, symbols, statuses = _merged(columns)
        matrix = real_float32(rows.vectors, names, where=self.where)
        check_species(names, symbols, where=self.where)
        rows_of_gene: dict[str, list[int]] = {}
        for row, symbol in enumerate(symbols):
            if symbol is not None:
                rows_of_gene.setdefault(symbol, []).append(row)
        if not rows_of_gene:
            raise VectorsError(_no_gene_message(names, reading, where=self.where))
        shared = {symbol: its_rows for symbol, its_rows in rows_of_gene.items() if len(its_rows) > 1}
        if shared and self._chosen.get("duplicates") == "refuse":
            raise VectorsError(_shared_message(shared, names, where=self.where))
        unresolved = tuple(name for name, symbol in zip(names, symbols, strict=True) if name and symbol is None)
        reading.identifier_columns = [column.column for column in columns]
        _describe(reading, names, symbols, statuses, shared=len(shared))
        reading.name_dimensions(matrix.shape[1], reading.dimension_columns)
        audit = {
            "rows": len(names),
            "genes": len(rows_of_gene),
            "rows without a known gene": sum(symbol is None for symbol in symbols),
            "genes with several rows": len(shared),
            **rows.counts,
        }
        del rows
        vectors = self._one_for_each(matrix, rows_of_gene, names)
        del matrix
        table = EmbeddingTable(list(rows_of_gene), vectors, where=self.where)
        return _Genes(table, unresolved, audit, reading)

    def _one_for_each(
        self, matrix: NDArray[np.float32], rows_of_gene: Mapping[str, list[int]], names: Sequence[str | None]
    ) -> NDArray[np.float32]:
        """Return one vector for each gene: the matrix itself, if it is that."""
        if len(rows_of_gene) == len(matrix):
            return matrix
        vectors = matrix[[its_rows[0] for its_rows in rows_of_gene.values()]]
        for position, (symbol, its_rows) in enumerate(rows_of_gene.items()):
            if len(its_rows) > 1:
                vectors[position] = matrix[self._counted(symbol, its_rows, names)].mean(axis=0, dtype=np.float64)
        return vectors

    def _looked_up(self, rows: Rows) -> list[Identified]:
        columns = [look_up("identifiers", rows.names, self._resolve)]
        if rows.symbols is not None:
            columns.append(look_up("symbols", rows.symbols, self._resolve))
        # Without a resolver, only a symbol can be the name of a gene.
        return columns if self._resolve is not None else columns[::-1]

    def _counted(self, symbol: str, its_rows: list[int], names: Sequence[str | None]) -> list[int]:
        current = [row for row in its_rows if names[row] == symbol]
        return current[:1] if current and self._chosen.get("duplicates") == "current" else its_rows


def _merged(columns: Sequence[Identified]) -> tuple[list[str | None], list[str | None], list[str]]:
    """Return names, symbols and statuses of the first column, and of the next ones where it has no symbol.

    A further column counts only for a gene that none before it names: it may hold an old symbol of another gene.
    """
    first = columns[0]
    names, symbols, statuses = list(first.names), list(first.symbols), list(first.statuses)
    for other in columns[1:]:
        taken = {symbol for symbol in symbols if symbol is not None}
        for row, symbol in enumerate(other.symbols):
            if symbols[row] is None and other.names[row] is not None and (symbol is None or symbol not in taken):
                if symbol is not None or names[row] is None:
                    names[row], symbols[row], statuses[row] = other.names[row], symbol, other.statuses[row]
    return names, symbols, statuses


def check_species(names: Sequence[str | None], symbols: Sequence[str | None], *, where: str) -> None:
    """Refuse names that are human symbols only when case is ignored: that does not make them orthologs.

    Raises:
        VectorsError: most matches differ from their symbol in case, or most names are written as those of mouse.
    """
    pairs = [(name, symbol) for name, symbol in zip(names, symbols, strict=True) if name]
    found = [(name, symbol) for name, symbol in pairs if symbol is not None]
    by_case = [name for name, symbol in found if name != symbol and name.upper() == symbol.upper()]
    mouse = [name for name, symbol in pairs if name != symbol and looks_like_mouse(name)]
    if len(pairs) < FEW or max(2 * len(by_case) - len(found), 2 * len(mouse) - len(pairs)) <= 0:
        return
    counts = f"{len(by_case):,} of {len(found):,} known genes match only when case is ignored"
    message = (
        f"{where}: names are written like mouse or rat ({some(by_case or mouse)}), {counts}; map them to human "
        "orthologs first, or write symbols in capitals if they are human"
    )
    raise VectorsError(message)


def _describe(
    reading: Reading,
    names: Sequence[str | None],
    symbols: Sequence[str | None],
    statuses: Sequence[str],
    *,
    shared: int,
) -> None:
    """Say how identifiers resolved."""
    reading.resolved = dict(Counter(statuses).most_common())
    unknown: dict[str, str] = {}
    for name, symbol, status in zip(names, symbols, statuses, strict=True):
        if symbol is None and name and len(unknown) < SAMPLE:
            unknown.setdefault(name, likely_reason(name, status))
    reading.unknown = list(unknown.items())
    if blank := sum(name is None for name in names):
        reading.notes.append(f"{blank:,} rows have no identifier and were left out")
    if shared:
        reading.notes.append(f"{shared:,} genes have several rows; see duplicates=")


def _no_gene_message(names: Sequence[str | None], reading: Reading, *, where: str) -> str:
    present = [name for name in names if name]
    if not present:
        return f"{where}: no symbol in any row; every row needs one"
    column = f" in {reading.identifier_columns[0]!r}" if reading.identifier_columns else ""
    reason = likely_reason(present[0])
    return (
        f"{where}: none of its {len(present):,} identifiers{column} is a known gene ({some(present)}: {reason}); "
        "expected symbols or Ensembl, Entrez, UniProt or HGNC ids"
    )


def _shared_message(shared: Mapping[str, list[int]], names: Sequence[str | None], *, where: str) -> str:
    symbol, its_rows = next(iter(shared.items()))
    rows = Counter(str(names[row]) for row in its_rows)
    first = f"{' and '.join(list(rows)[:2])} are both" if len(rows) > 1 else f"{len(its_rows)} rows are"
    others = "1 more gene has" if len(shared) == 2 else f"{len(shared) - 1:,} more genes have"
    more = f", and {others} several rows" if len(shared) > 1 else ""
    return f"{where}: {first} the gene {symbol}{more}; keep one row for each gene, or leave out duplicates=refuse"


def name_of(adapter: str, file_name: str) -> str:
    """Return a model's id from the name of its file or folder, with the adapter's name unless it says that already.

    >>> name_of("scgpt", "scGPT_human"), name_of("scgpt", "blood")
    ('scGPT_human', 'scgpt:blood')
    """
    return file_name if adapter in file_name.lower() else f"{adapter}:{file_name}"


def existing_file(path: Path, *, what: str) -> Path:
    """Return the path of a file that is there.

    Raises:
        UnknownModelError: it is not; the nearest name in its folder is suggested.
    """
    if path.is_file():
        return path
    if not path.parent.is_dir():
        message = f"no file {path}, expected {what}: there is no folder {path.parent}"
    else:
        siblings = [other.name for other in path.parent.iterdir() if other.is_file()]
        message = f"no file {path}, expected {what}{did_you_mean(path.name, siblings)}"
    raise UnknownModelError(message)


def files_sha256(paths: Sequence[Path]) -> str:
    """Return `sha256:<hex>` of what one or several files hold, in this order."""
    hashes = [file_sha256(path) for path in paths]
    if len(hashes) == 1:
        return hashes[0]
    return f"sha256:{hashlib.sha256(' '.join(hashes).encode()).hexdigest()}"


def _path(value: str) -> Path:
    path = Path(value).expanduser()
    if not path.is_file():
        message = "a file that exists"
        raise ValueError(message)
    return path


FILE = Option("FILE", _path)
"""An option that takes a file; its content is part of the revision, its path is not."""
