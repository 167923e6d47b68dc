"""Models that are tables already: one vector for each identifier, nothing to encode."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from model_adapters.base import AdapterInfo, Resolve, file_sha256
from model_adapters.embedding.table import EmbeddingTable, check_named, check_symbols, finite_float32
from model_adapters.errors import UnknownModelError, VectorsError, did_you_mean, some
from model_adapters.options import Option, choice, id_with_options

if TYPE_CHECKING:
    from datasets import Dataset
    from numpy.typing import NDArray

DUPLICATES = choice("average", "current", "refuse")


@dataclass(frozen=True)
class Rows:
    """What a file of vectors holds, before its identifiers are resolved.

    Args:
        names: n identifiers of genes, of any kind.
        vectors: (n, d) numbers.
        symbols: the file's own symbol of each row, for where `names` does not resolve; None if it has none.
        counts: what else a reader should be told about the file, such as how much of it was left out.
    """

    names: Sequence[str | None]
    vectors: NDArray[Any]
    symbols: Sequence[str | None] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Genes:
    table: EmbeddingTable
    unresolved: tuple[str, ...]
    audit: dict[str, int]


class TableModel(ABC):
    """Base of the models whose vectors are in a file: `table()` is the embedding table.

    Rows of one gene, which is what several identifiers may turn out to mean, are averaged. `duplicates` is another
    rule: "current" takes the row that is named by the current symbol where there is one, and averages the others;
    "refuse" is an error. The same identifier twice is taken for a mistake unless a rule is given.
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
        # These two give what no rule gives, where they give anything.
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

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Identifiers that `resolve` does not know, left out of the table."""
        return self._genes.unresolved

    @property
    def audit(self) -> Mapping[str, int]:
        """How many rows the file has, genes the table has, rows have no gene or share one, and counts of the reader."""
        return self._genes.audit

    @abstractmethod
    def _read(self) -> Rows:
        """Read the file."""

    @cached_property
    def _genes(self) -> _Genes:
        rows = self._read()
        names = _checked(rows.names, self._chosen.get("duplicates"), where=self.where)
        matrix = finite_float32(rows.vectors, names, where=self.where)
        symbols = self._symbols(names, rows.symbols)
        places: dict[str, list[int]] = {}
        for row, symbol in enumerate(symbols):
            if symbol is not None:
                places.setdefault(symbol, []).append(row)
        if not places:
            message = (
                f"{self.where}: none of its {len(names)} identifiers is a known gene ({some(names)}); expected symbols "
                "or Ensembl, Entrez, UniProt or HGNC ids"
            )
            raise VectorsError(message)
        shared = {symbol: owned for symbol, owned in places.items() if len(owned) > 1}
        if shared and self._chosen.get("duplicates") == "refuse":
            raise VectorsError(_shared_message(shared, names, where=self.where))
        vectors = matrix[[owned[0] for owned in places.values()]]
        for place, (symbol, owned) in enumerate(places.items()):
            if symbol in shared:
                vectors[place] = matrix[self._counted(symbol, owned, names)].mean(axis=0, dtype=np.float64)
        unresolved = tuple(name for name, symbol in zip(names, symbols, strict=True) if symbol is None)
        audit = {
            "rows": len(names),
            "genes": len(places),
            "rows without a known gene": len(unresolved),
            "genes with several rows": len(shared),
            **rows.counts,
        }
        return _Genes(EmbeddingTable(list(places), vectors, where=self.where), unresolved, audit)

    def _symbols(self, names: list[str], own: Sequence[str | None] | None) -> Sequence[str | None]:
        if self._resolve is None:
            return names if own is None else [symbol or name for symbol, name in zip(own, names, strict=True)]
        symbols = self._resolve(names)
        if own is None:
            return symbols
        # A symbol of the file counts only for a gene that no identifier names: it may be an old symbol of another one.
        taken = set(symbols)
        unknown = [row for row, symbol in enumerate(symbols) if symbol is None and own[row]]
        found = dict(zip(unknown, self._resolve([str(own[row]) for row in unknown]), strict=True))
        return [symbol if found.get(row) in taken else found.get(row, symbol) for row, symbol in enumerate(symbols)]

    def _counted(self, symbol: str, owned: list[int], names: list[str]) -> list[int]:
        current = [row for row in owned if names[row] == symbol]
        return current[:1] if current and self._chosen.get("duplicates") == "current" else owned


def _checked(names: Sequence[str | None], duplicates: str | None, *, where: str) -> list[str]:
    if duplicates is None:
        check_symbols(names, where=where, advice="keep one row for each gene, or add duplicates=average")
    else:
        check_named(names, where=where)
    return [str(name) for name in names]


def _shared_message(shared: Mapping[str, list[int]], names: Sequence[str], *, where: str) -> str:
    symbol, owned = next(iter(shared.items()))
    rows = Counter(names[row] for row in owned)
    first = f"{' and '.join(list(rows)[:2])} are both" if len(rows) > 1 else f"{len(owned)} rows are"
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
"""An option that takes a file; its content is part of the revision, its path of nothing."""
