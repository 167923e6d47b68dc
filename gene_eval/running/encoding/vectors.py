"""Vectors of one model for what tasks are about: genes, pairs of genes, genes with diseases."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from builders import RawFiles, load
from builders.errors import BuilderError
from gene_eval.core.graph.nodes import Graph
from gene_eval.core.lookup import Groups
from gene_eval.core.pairs import PairedRows
from gene_eval.core.table import TableRows, VectorTable
from gene_eval.errors import CoverageError, GeneBenchError
from gene_eval.running.boundary import one_line_errors
from gene_eval.running.encoding.graphs import GraphReader, hand_over
from gene_eval.running.encoding.inputs import reading_lines, with_covariates
from gene_eval.running.encoding.layers import select_layer
from gene_eval.running.tasks import TaskArrays
from gene_eval.running.validity.label_texts import WORDS, masked_models, without_words
from model_adapters import EmbeddingTable, Model, embed_table, gene_coverage
from model_adapters.embedding.sequences import embed_sequences

__all__ = ["Gathered", "IndexedVectors", "ModelVectors", "ready_to_embed"]

DISEASE, DISEASES = "disease_id", "diseases"
SEQUENCE = "sequence_id"
VECTORS_OF_SEQUENCES = "gene-bench-sequences"
"""Folder in the cache of `datasets`."""
TERM, TERMS = "term", "go_terms"
NAMED = {DISEASES: DISEASE, TERMS: TERM}
"""Tables of things other than genes -> the column that names them."""
GENES = "genes"
SAMPLE = 10


@dataclass(frozen=True)
class IndexedVectors:
    """An embedding table, with what the tasks of a run share.

    Args:
        embedding: Symbols and (n, d) vectors.
        groups: Row numbers of each kind of gene; see `VectorTable`.
        health: See `model_adapters.health`; with the coverage of the gene table where that can be built, and for
            vectors of a file with `audit`, what became of the file's rows.
    """

    embedding: EmbeddingTable
    groups: Sequence[npt.NDArray[np.int64]] = ()
    health: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def row(self) -> dict[str, int]:
        """Identifier -> row of the matrix."""
        return {symbol: i for i, symbol in enumerate(self.embedding.symbols)}

    @cached_property
    def table(self) -> VectorTable:
        """The matrix for the probe, which keeps there what tasks can share."""
        return VectorTable(self.embedding.matrix, groups=self.groups)

    def rows_of(self, identifiers: Sequence[str]) -> npt.NDArray[np.int64]:
        """Row of each identifier, -1 where it has no vector."""
        return np.array([self.row.get(name, -1) for name in identifiers], dtype=np.int64)


# The vectors of one entity column, and for each entity of the task the row of its vector, -1 if it has none.
ColumnVectors = tuple[IndexedVectors, npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Gathered:
    """The entities of a task that have vectors.

    Args:
        X: (n, d) vectors, as rows of a table or pairs of them; see `gene_eval.core.probe.probe`. For a control that
            looks labels up, the groups of each row.
        rows: (n,) row numbers of the task, ascending.
        missing: Entities without a vector, as text.
        dim: Length of one gene's vector.
        sha256: Hash of the vectors that were available, not only of those used.
        health: Of one gene's vectors.
    """

    X: TableRows | PairedRows | Groups
    rows: npt.NDArray[np.int64]
    missing: list[str]
    dim: int
    sha256: str
    health: Mapping[str, Any]


@dataclass
class ModelVectors:
    """One model and the gene tables of a run; each table is embedded once, when a task first asks for it.

    Args:
        model: From `model_adapters.load_model`.
        raw: Raw files shared by the run, for the gene tables.
        name: Name under which the model's results are filed.
        device: Where to compute; None takes the best there is.
        batch_size: Genes at a time; None takes the model's own.
        progress: Whether to show progress bars.
        log: Takes a line for the user.
        diseases: Another model's vectors, for the diseases of genes with diseases; None takes those of this model.
        terms: Another model's vectors, for terms of the Gene Ontology in a graph; None takes those of this model, or
            zeros where it encodes no text.
        seconds: Seconds that embedding has taken so far.
        words: Words that are masked in the texts of a model that reads masked texts.
        shards: How many workers have made chunks of its vectors, where these are put together here.
    """

    model: Model
    raw: RawFiles
    name: str
    device: str | None = None
    batch_size: int | None = None
    progress: bool = False
    log: Callable[[str], None] = print
    diseases: "ModelVectors | None" = None
    terms: "ModelVectors | None" = None
    seconds: float = 0.0
    words: tuple[str, ...] = ()
    shards: int = 0
    _file: EmbeddingTable | None = None
    _tables: dict[str, IndexedVectors | GeneBenchError] = field(default_factory=dict)
    _own: tuple[TaskArrays, IndexedVectors] | None = None
    _file_as_given: EmbeddingTable | None = None
    _graphs: dict[tuple[str, str], tuple[Graph, str]] = field(default_factory=dict)

    @property
    def is_precomputed(self) -> bool:
        """Whether the vectors come from a file or from memory, so that no gene table is needed."""
        return callable(getattr(self.model, "table", None))

    def mask(self, words: Sequence[str]) -> None:
        """Mask words in what the model, or one of its parts, reads, if it asks for that."""
        if parts := masked_models(self.model):
            self.words = tuple(words)
            found = {"masked_sha256": hashlib.sha256("\n".join(words).encode()).hexdigest(), WORDS: list(words)}
            for model in {id(each): each for each in (self.model, *parts)}.values():
                assert isinstance(model.options, dict)
                model.options.update(found)

    def of(self, table: str) -> IndexedVectors:
        """Vectors of a gene table (or of the disease table).

        Raises:
            GeneBenchError: The table cannot be built, or the model cannot encode it.
        """
        if table not in self._tables:
            began = time.perf_counter()
            try:
                # A model is other people's code, or a file of theirs that may hold anything.
                with one_line_errors(self.name):
                    embedded = self._read() if self.is_precomputed else self._embed(table)
                    self._tables[table] = self._indexed(table, embedded)
            except GeneBenchError as error:
                # Failures are kept as well, so that what fails for one task is not tried again for each of the others.
                self._tables[table] = error
            self.seconds += time.perf_counter() - began
        found = self._tables[table]
        if isinstance(found, IndexedVectors):
            return found
        raise found

    def take(self, table: str, vectors: IndexedVectors) -> None:
        """Take vectors of a gene table that were made elsewhere."""
        self._tables[table] = vectors

    def _read(self) -> EmbeddingTable:
        """The vectors of a file, read once for all gene tables."""
        if self._file is None:
            self._file = embed_table(None, self.model, device=self.device)
            self._tell(self._file, "; ".join(reading_lines(self.model)) or "as given")
        return self._file

    def rows(self, table: str) -> Any:
        """A gene table as the model reads it, once it was handed what it needs besides.

        Raises:
            GeneBenchError: The table cannot be built, or the model cannot encode diseases.
        """
        rows = load(table, self.raw).dataset
        if table in NAMED:
            rows = rows.rename_column(NAMED[table], "symbol")
            if table == DISEASES and not _reads(self.model, rows.column_names):
                raise CoverageError(self._no_diseases())
        hand_over(self.model, self._reader)
        return with_covariates(without_words(rows, self.model, self.words), self.model, self.raw)

    def _embed(self, table: str) -> EmbeddingTable:
        encoded: list[bool] = []
        rows = self.rows(table)

        def make() -> EmbeddingTable:
            return embed_table(
                rows,
                self.model,
                batch_size=self.batch_size,
                device=self.device,
                progress=self.progress,
                # By the vocabulary of the genes: the words of a disease, or of a term, are those of its genes.
                fit_on=load(GENES, self.raw).dataset if table in NAMED else None,
                on_encode=lambda: encoded.append(True),
            )

        # Vectors of a graph alone take a minute, and are the same for every task that shares the raw files.
        is_of_graph = hasattr(self.model, "take_graph") and hasattr(self.model, "encode_table")
        embedded = self.raw.once(("vectors of a graph", self.model.model_id, table), make) if is_of_graph else make()
        how = f" by {self.shards} workers" if self.shards else "" if encoded else " from the cache, nothing embedded"
        self._tell(embedded, f"{'computed ' if encoded or self.shards else ''}for {table}{how}")
        return embedded

    def _tell(self, embedded: EmbeddingTable, origin: str) -> None:
        n, dim = embedded.matrix.shape
        self.log(f"{self.name}: {n:,} vectors of dimension {dim}, {origin}")
        largest = max(float(embedded.matrix.max(initial=0)), -float(embedded.matrix.min(initial=0)))
        if 0 < largest < np.finfo(np.float32).tiny:
            self.log(
                f"warning: {self.name}: no number is larger than {largest:.1e}, below what float32 holds in full"
                f" ({np.finfo(np.float32).tiny:.1e}); scores will be those of chance: multiply the vectors first"
            )

    def _indexed(self, table: str, embedded: EmbeddingTable) -> IndexedVectors:
        health = dict(embedded.health)
        if audit := dict(getattr(self.model, "audit", {})):
            health["audit"] = audit
        try:
            genes = load(table, self.raw).dataset
        except BuilderError:
            # Vectors from a file are scored without the raw files of a gene table.
            return IndexedVectors(embedded, health=health)
        if "symbol" not in genes.column_names:
            # The table of diseases.
            return IndexedVectors(embedded, health=health)
        health["coverage"] = gene_coverage(embedded.symbols, genes)
        if "locus_group" not in genes.column_names:
            return IndexedVectors(embedded, health=health)
        row = {symbol: i for i, symbol in enumerate(embedded.symbols)}
        groups: dict[str, list[int]] = defaultdict(list)
        for symbol, group in zip(genes["symbol"][:], genes["locus_group"][:], strict=True):
            if symbol in row:
                groups[group].append(row[symbol])
        return IndexedVectors(embedded, [np.array(each) for _, each in sorted(groups.items())], health)

    def graph(self, name: str, table: str) -> tuple[Graph, str]:
        """A graph over the rows of a gene table's vectors, for a head that needs one, and its hash.

        Raises:
            GeneBenchError: The graph cannot be read, or joins no gene that has a vector.
        """
        if (name, table) not in self._graphs:
            if hasattr(self.model, "take_graph"):
                message = f"{self.name} has neighbours in its vectors already; give a head of a graph the model inside"
                raise GeneBenchError(message)
            reader, embedded = self._reader(name, self.model), self.of(table).embedding
            made = reader.over(embedded.symbols, embedded.matrix.shape[1])
            self._graphs[name, table] = made, reader.sha256(made)
        return self._graphs[name, table]

    def _reader(self, name: str, model: Any) -> GraphReader:
        return GraphReader(name, self.raw, terms=lambda: self._of_terms(model), log=self.log)

    def _of_terms(self, model: Any) -> EmbeddingTable | None:
        """Vectors of terms by the model that was named for them, or by this one, if it reads what terms have."""
        if self.terms is not None:
            return self.terms.of(TERMS).embedding
        columns = {*load(TERMS, self.raw).dataset.column_names, "symbol"} - {TERM}
        if model is None or callable(getattr(model, "table", None)) or not _reads(model, sorted(columns)):
            return None
        inner = replace(self, model=model, name=model.model_id, _tables={}, _graphs={})
        return (self if model is self.model else inner).of(TERMS).embedding

    def known(self, task: TaskArrays) -> npt.NDArray[np.bool_]:
        """(n,) whether the model has a vector in every column of an entity."""
        return _known(self._columns(task))

    def gather(
        self, task: TaskArrays, *, keep: npt.NDArray[np.bool_] | None = None, pairs: str = "average"
    ) -> Gathered:
        """Vectors of a task's entities.

        Args:
            task: The task.
            keep: (n,) entities to use, of those that have vectors; None uses all.
            pairs: How the two vectors of a pair become one: "average" or "concat". A gene and a disease are always
                concatenated, since their vectors mean different things.

        Raises:
            CoverageError: No entity has a vector, or none of `keep`.
        """
        columns = self._columns(task)
        known = _known(columns)
        if not known.any():
            raise CoverageError(self._no_overlap(task, columns))
        rows = np.flatnonzero(known if keep is None else known & keep)
        if not rows.size:
            message = f"no entity of {task.record.id} has a vector in all of the models; run without --common-genes"
            raise CoverageError(message)
        missing = ["/".join(column[i] for column in task.entities.values()) for i in np.flatnonzero(~known).tolist()]
        X = _combined(columns, rows, mode=pairs if task.record.entity == "gene_pair" else "concat")
        sha256 = _sha256([vectors.embedding.sha256 for vectors, _ in columns])
        first = columns[0][0]
        return Gathered(X, rows, missing, first.embedding.matrix.shape[1], sha256, first.health)

    def _no_overlap(self, task: TaskArrays, columns: Sequence[ColumnVectors]) -> str:
        names = list(task.entities)
        # The column to blame: the first one if each has vectors, but no entity has all of them.
        at = next((i for i, (_, index) in enumerate(columns) if not (index >= 0).any()), 0)
        if names[at] == DISEASE and self.diseases is None:
            return self._no_diseases()
        theirs, own = ", ".join(task.entities[names[at]][:3]), ", ".join(columns[at][0].embedding.symbols[:3])
        advice = "name sequences by sequence_id" if names[at] == SEQUENCE else "name genes by their HGNC symbol"
        return (
            f"{self.name} has a vector for none of the {task.record.n:,} entities of {task.record.id}"
            f" ({names[at]} in the task: {theirs}; in the vectors: {own}); {advice}"
        )

    def _columns(self, task: TaskArrays) -> list[ColumnVectors]:
        columns = []
        for column, names in task.entities.items():
            vectors = self._of_column(column, task)
            columns.append((vectors, vectors.rows_of(names)))
        return columns

    def _of_column(self, column: str, task: TaskArrays) -> IndexedVectors:
        if column == SEQUENCE:
            return self._of_sequences(task)
        return self._of_diseases() if column == DISEASE else self.of(task.gene_table)

    def _of_sequences(self, task: TaskArrays) -> IndexedVectors:
        """Vectors of a task's own sequences, kept for the last task only: a table of them may fill the memory."""
        if self._own is None or self._own[0] is not task:
            self._own = None
            began = time.perf_counter()
            with one_line_errors(self.name):
                model, chosen = self._with_layer(task)
                embedded = self._read_sequences() if self.is_precomputed else self._embed_sequences(task, model)
                self._own = task, IndexedVectors(embedded, health={**embedded.health, **chosen})
            self.seconds += time.perf_counter() - began
        return self._own[1]

    def _read_sequences(self) -> EmbeddingTable:
        """The vectors of a file under the names there: an identifier of a sequence is not that of a gene."""
        if self._file_as_given is None:
            as_given = getattr(self.model, "as_given", None)
            model = as_given() if callable(as_given) else self.model
            self._file_as_given = embed_table(None, model, device=self.device)
            self._tell(self._file_as_given, "; ".join(reading_lines(model)) or "as given")
        return self._file_as_given

    def _with_layer(self, task: TaskArrays) -> tuple[Any, dict[str, Any]]:
        """The model, read at the layer chosen for the task if one is to be chosen, and the record of that choice."""
        if not getattr(self.model, "selects_layer", False):
            return self.model, {}

        def embed(model: Any, rows: Sequence[int]) -> npt.NDArray[np.float32]:
            table = self._encoded(model, {ids[row]: task.sequences[row] for row in rows})
            place = {symbol: i for i, symbol in enumerate(table.symbols)}
            vectors: npt.NDArray[np.float32] = table.matrix[[place[ids[row]] for row in rows]]
            return vectors

        ids = task.entities[SEQUENCE]
        model, chosen = select_layer(self.model, task, embed)
        self.log(f"{self.name}: layer {chosen['layer']} for {task.record.id}, chosen on {chosen['layer_chosen_on']}")
        return model, chosen

    def _encoded(
        self, model: Any, sequences: Mapping[str, str], on_encode: Callable[[int], None] | None = None
    ) -> EmbeddingTable:
        from datasets import config

        return embed_sequences(
            list(sequences),
            list(sequences.values()),
            model,
            folder=Path(config.HF_DATASETS_CACHE) / VECTORS_OF_SEQUENCES,
            batch_size=self.batch_size,
            device=self.device,
            progress=self.progress,
            on_encode=on_encode,
        )

    def _embed_sequences(self, task: TaskArrays, model: Any) -> EmbeddingTable:
        distinct = dict(zip(task.entities[SEQUENCE], task.sequences, strict=True))
        encoded: list[int] = []
        embedded = self._encoded(model, distinct, encoded.append)
        known = f", {len(distinct) - sum(encoded):,} of them from the cache" if sum(encoded) < len(distinct) else ""
        self._tell(embedded, f"for the sequences of {task.record.id}{known}")
        return embedded

    def _of_diseases(self) -> IndexedVectors:
        if self.diseases is None:
            return self.of(DISEASES)
        before = self.diseases.seconds
        found = self.diseases.of(DISEASES)
        self.seconds += self.diseases.seconds - before
        return found

    def _no_diseases(self) -> str:
        return (
            f"{self.name} has no vectors of diseases;"
            " name a text model for them, such as --diseases bag-of-words or --diseases mpnet"
        )


def _known(columns: Sequence[ColumnVectors]) -> npt.NDArray[np.bool_]:
    known: npt.NDArray[np.bool_] = np.all([index >= 0 for _, index in columns], axis=0)
    return known


def _combined(columns: Sequence[ColumnVectors], rows: npt.NDArray[np.int64], *, mode: str) -> TableRows | PairedRows:
    if len(columns) == 1:
        ((vectors, index),) = columns
        return vectors.table.rows(index[rows])
    (left, left_index), (right, right_index) = columns
    return PairedRows(left.embedding.matrix, left_index[rows], right.embedding.matrix, right_index[rows], mode)


def _sha256(tables: Sequence[str]) -> str:
    # A single table is known by its own hash; genes with diseases depend on two.
    distinct = list(dict.fromkeys(tables))
    return distinct[0] if len(distinct) == 1 else hashlib.sha256("\n".join(distinct).encode()).hexdigest()


def _reads(model: Any, columns: Sequence[str]) -> bool:
    """Whether a model, and each of its parts, can encode a table with these columns."""
    parts = getattr(model, "parts", ())
    return all(_reads(part, columns) for part in parts) if parts else getattr(model, "input_column", None) in columns


def ready_to_embed(genes: Any, model: Any, raw: RawFiles, log: Callable[[str], None]) -> Any:
    """The gene table with the covariates that a model reads; a model of a graph is given the graph too."""
    of_model = ModelVectors(model, raw, name=model.model_id, log=log)
    hand_over(model, of_model._reader)
    return with_covariates(genes, model, raw)
