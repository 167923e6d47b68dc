"""Vectors of one model for what tasks are about: genes, pairs of genes, genes with diseases."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt

from builders import RawFiles, SymbolResolver, cached, load
from builders.errors import BuilderError, MissingFileError
from builders.symbols import HGNC
from gene_eval.core.pairs import PairedRows
from gene_eval.core.table import TableRows, VectorTable
from gene_eval.errors import CoverageError
from gene_eval.running.tasks import Task
from model_adapters import AdapterError, Model, as_matrix, embed, embedding_sha256, gene_coverage, health

__all__ = ["PAIRINGS", "Gathered", "ModelVectors", "Vectors", "audit_text", "make_resolve"]

PAIRINGS = ("average", "concat")
DISEASE, DISEASES = "disease_id", "diseases"
GENES = "genes"
SAMPLE = 10


@dataclass(frozen=True)
class Vectors:
    """An embedding table in memory.

    Args:
        matrix: (n, d) float32.
        row: Identifier -> row of the matrix.
        sha256: Hash of identifiers and vectors.
        health: See `model_adapters.health`; for vectors of a file also `audit`, what became of the file's rows.
        groups: Rows of each kind of gene; see `VectorTable`.
    """

    matrix: npt.NDArray[np.float32]
    row: dict[str, int]
    sha256: str
    health: dict[str, Any] = field(default_factory=dict)
    groups: Sequence[npt.NDArray[np.int64]] = ()

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.matrix.shape[1])

    @cached_property
    def table(self) -> VectorTable:
        """The matrix for the probe, which keeps there what tasks can share."""
        return VectorTable(self.matrix, groups=self.groups)


# The vectors of one entity column, and for each row of the task where its vector stands, -1 if nowhere.
Part = tuple[Vectors, npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Gathered:
    """The rows of a task that have vectors.

    Args:
        X: (n, d) vectors, as rows of a table or pairs of them; see `gene_eval.core.probe.probe`.
        rows: (n,) row numbers of the task, ascending.
        missing: Entities without a vector, as text.
        dim: Length of one gene's vector.
        sha256: Hash of the vectors that were available, not only of those used.
        health: Of one gene's vectors, with the coverage of the gene table where that can be built.
    """

    X: TableRows | PairedRows
    rows: npt.NDArray[np.int64]
    missing: list[str]
    dim: int
    sha256: str
    health: dict[str, Any]


@dataclass
class ModelVectors:
    """One model over the gene tables of a run; each table is embedded once, when a task first asks for it.

    Args:
        model: From `model_adapters.load_model`.
        raw: Raw files shared by the run, for the gene tables.
        device: Where to compute; None takes the best there is.
        batch_size: Genes at a time; None takes the model's own.
        progress: Whether to show progress bars on stderr.
        log: Takes a line for the user.
        diseases: Another model's vectors, for the diseases of genes with diseases; None takes those of this model.
        seconds: What embedding has taken so far.
    """

    model: Model
    raw: RawFiles
    device: str | None = None
    batch_size: int | None = None
    progress: bool = False
    log: Callable[[str], None] = print
    diseases: "ModelVectors | None" = None
    seconds: float = 0.0
    _file: Vectors | None = None
    _tables: dict[str, Vectors | BuilderError | AdapterError] = field(default_factory=dict)
    _coverage: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def precomputed(self) -> bool:
        """Whether the vectors come from a file, so that no gene table is needed."""
        return callable(getattr(self.model, "table", None))

    def of(self, table: str) -> Vectors:
        """Vectors of a gene table (or of the disease table).

        Raises:
            BuilderError: The table cannot be built.
            AdapterError: The model cannot encode it.
        """
        if table not in self._tables:
            began = time.perf_counter()
            try:
                vectors = self._read() if self.precomputed else self._embed(table)
                self._tables[table] = replace(vectors, groups=self._groups(table, vectors.row))
            # Kept as well, so that what fails for one task is not tried again for each of the others.
            except (AdapterError, BuilderError) as error:
                self._tables[table] = error
            self.seconds += time.perf_counter() - began
        found = self._tables[table]
        if isinstance(found, Vectors):
            return found
        raise found

    def _read(self) -> Vectors:
        """The vectors of a file, read once for all gene tables."""
        if self._file is None:
            embedded = embed(datasets.Dataset.from_dict({}), self.model, device=self.device)
            details = audit_text(self.model)
            self._file = self._vectors(embedded, f"read from the file ({details})" if details else "read from the file")
        return self._file

    def _embed(self, table: str) -> Vectors:
        encoded: list[bool] = []
        rows = load(table, self.raw).dataset
        if table == DISEASES:
            rows = rows.rename_column(DISEASE, "symbol")
            if not _reads(self.model, rows.column_names):
                raise CoverageError(self._no_diseases())
        embedded = embed(
            rows,
            self.model,
            batch_size=self.batch_size,
            device=self.device,
            progress=self.progress,
            # With the vocabulary of the genes, so that the words of a disease are those of its genes.
            fit_on=load(GENES, self.raw).dataset if table == DISEASES else None,
            on_encode=lambda: encoded.append(True),
        )
        origin = f"computed for {table}" if encoded else f"for {table} from the cache, nothing embedded"
        return self._vectors(embedded, origin)

    def _vectors(self, embedded: datasets.Dataset, origin: str) -> Vectors:
        symbols, matrix = as_matrix(embedded)
        self.log(f"{self.model.model_id}: {len(symbols):,} vectors of dimension {matrix.shape[1]}, {origin}")
        row = {symbol: i for i, symbol in enumerate(symbols)}
        state = health(embedded)
        if audit := dict(getattr(self.model, "audit", {})):
            state["audit"] = audit
        return Vectors(matrix, row, embedding_sha256(embedded), state)

    def _groups(self, table: str, row: Mapping[str, int]) -> list[npt.NDArray[np.int64]]:
        genes, rows = self._genes(table), defaultdict(list)
        if genes is None or "locus_group" not in genes.column_names:
            return []
        for symbol, group in zip(genes["symbol"][:], genes["locus_group"][:], strict=True):
            if symbol in row:
                rows[group].append(row[symbol])
        return [np.array(each) for _, each in sorted(rows.items())]

    def _genes(self, table: str) -> datasets.Dataset | None:
        """The gene table; None where it cannot be built, as vectors from a file are scored without its raw files."""
        try:
            return load(table, self.raw).dataset
        except BuilderError:
            return None

    def _health(self, vectors: Vectors, table: str) -> dict[str, Any]:
        if table not in self._coverage:
            genes = self._genes(table)
            self._coverage[table] = {} if genes is None else {"coverage": gene_coverage(vectors.row, genes)}
        return {**vectors.health, **self._coverage[table]}

    def known(self, task: Task) -> npt.NDArray[np.bool_]:
        """(n,) whether the model has vectors for every part of an entity."""
        return _known(self._parts(task))

    def gather(self, task: Task, *, keep: npt.NDArray[np.bool_] | None = None, pairs: str = "average") -> Gathered:
        """Vectors of a task's entities.

        Args:
            task: The task.
            keep: (n,) entities to use, of those that have vectors; None uses all.
            pairs: How the two vectors of a pair become one: "average" or "concat". A gene and a disease are always
                concatenated, since their vectors mean different things.

        Raises:
            CoverageError: No entity has a vector, or none of `keep`.
        """
        parts = self._parts(task)
        known = _known(parts)
        if not known.any():
            raise CoverageError(self._no_overlap(task, parts))
        rows = np.flatnonzero(known if keep is None else known & keep)
        if not rows.size:
            message = f"no entity of {task.record.id} has a vector in all of the models; leave out --common-genes"
            raise CoverageError(message)
        names = ["/".join(column[i] for column in task.entities.values()) for i in np.flatnonzero(~known).tolist()]
        X = _combined(parts, rows, mode=pairs if task.record.entity == "gene_pair" else "concat")
        sha256 = _sha256([vectors.sha256 for vectors, _ in parts])
        return Gathered(X, rows, names, parts[0][0].dim, sha256, self._health(parts[0][0], task.gene_table))

    def _no_overlap(self, task: Task, parts: Sequence[Part]) -> str:
        columns = list(task.entities)
        # The column to blame; 0 if each has vectors, but no entity has all of them.
        at = next((i for i, (_, index) in enumerate(parts) if not (index >= 0).any()), 0)
        if columns[at] == DISEASE and self.diseases is None:
            return self._no_diseases()
        theirs, own = ", ".join(task.entities[columns[at]][:3]), ", ".join(list(parts[at][0].row)[:3])
        return (
            f"{self.model.model_id} has a vector for none of the {task.record.n:,} entities of {task.record.id}"
            f" ({columns[at]} in the task: {theirs}; in the vectors: {own}); name genes by their HGNC symbol"
        )

    def _parts(self, task: Task) -> list[Part]:
        parts = []
        for column, names in task.entities.items():
            vectors = self._of_diseases() if column == DISEASE else self.of(task.gene_table)
            parts.append((vectors, np.array([vectors.row.get(name, -1) for name in names], dtype=np.int64)))
        return parts

    def _of_diseases(self) -> Vectors:
        if self.diseases is None:
            return self.of(DISEASES)
        before = self.diseases.seconds
        found = self.diseases.of(DISEASES)
        self.seconds += self.diseases.seconds - before
        return found

    def _no_diseases(self) -> str:
        return (
            f"{self.model.model_id} has no vectors of diseases;"
            " name a text model for them, such as --diseases bag-of-words or --diseases mpnet"
        )


def _known(parts: Sequence[Part]) -> npt.NDArray[np.bool_]:
    known: npt.NDArray[np.bool_] = np.all([index >= 0 for _, index in parts], axis=0)
    return known


def _combined(parts: Sequence[Part], rows: npt.NDArray[np.int64], *, mode: str) -> TableRows | PairedRows:
    if len(parts) == 1:
        ((vectors, index),) = parts
        return vectors.table.rows(index[rows])
    (left, left_index), (right, right_index) = parts
    return PairedRows(left.matrix, left_index[rows], right.matrix, right_index[rows], mode)


def _sha256(tables: Sequence[str]) -> str:
    # One table is named by its own hash; genes with diseases depend on two.
    distinct = list(dict.fromkeys(tables))
    return distinct[0] if len(distinct) == 1 else hashlib.sha256("\n".join(distinct).encode()).hexdigest()


def _reads(model: Any, columns: Sequence[str]) -> bool:
    """Whether a model, and each that it is made of, can encode a table with these columns."""
    parts = getattr(model, "parts", ())
    return all(_reads(part, columns) for part in parts) if parts else getattr(model, "input_column", None) in columns


def audit_text(model: Model) -> str:
    """What became of the rows of a file of vectors; nothing for a model that encodes."""
    audit = getattr(model, "audit", {})
    return ", ".join(f"{count:,} {name}" for name, count in audit.items() if count and name != "genes")


def make_resolve(raw: RawFiles, log: Callable[[str], None]) -> Callable[[list[str]], Sequence[str | None]] | None:
    """A function from the identifiers of a vectors file to current symbols.

    It goes by HGNC's file in the data directory, or without one by the gene table that was built last, and is None
    where there is neither: nothing is downloaded. It tells what it changed and what it could not map. Several
    identifiers may mean one gene: what becomes of their vectors is the adapter's to say (see
    `model_adapters.files.table_model`).
    """
    make = _resolver(raw)
    if make is None:
        return None

    def resolve(identifiers: list[str]) -> list[str | None]:
        resolver: SymbolResolver = raw.once("resolver of vectors", make)
        resolution = resolver.resolve(identifiers)
        unknown = len(resolution.unmapped) + len(resolution.withdrawn)
        if resolution.changed or resolution.ambiguous or unknown:
            changed, ambiguous = len(resolution.changed), len(resolution.ambiguous)
            log(
                f"{len(resolution):,} identifiers of the vectors: {changed:,} old names became current symbols,"
                f" {ambiguous:,} ambiguous and {unknown:,} unknown have none"
            )
        return resolution.symbols

    return resolve


def _resolver(raw: RawFiles) -> Callable[[], SymbolResolver] | None:
    """What makes the resolver, which takes a second, once a file of vectors is read."""
    if raw.data_dir is None:
        genes = cached(GENES)
        return None if genes is None else lambda: SymbolResolver.from_genes(genes.dataset)
    try:
        path = raw.path(HGNC, "complete_set")
    except MissingFileError:
        return None
    assert path is not None
    # Under the key of the builders, who may have made it already.
    return lambda: raw.once((path, "resolver"), lambda: SymbolResolver.from_hgnc(path))
