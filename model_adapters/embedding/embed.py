"""How a gene table becomes an embedding table: what is read, in which order, and where the vectors are kept."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.base import choose_devices, source_sha256, wrong_attribute
from model_adapters.embedding.cache import record_hash, work_folder
from model_adapters.embedding.chunks import (
    ChunkEncoder,
    chunk_bounds,
    chunk_path,
    encode_rows,
    progress_bar,
    read_chunk,
)
from model_adapters.embedding.inputs import Inputs, read_inputs
from model_adapters.embedding.table import EmbeddingTable, arrow_table
from model_adapters.errors import EncodingError, one_line

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset
    from numpy.typing import NDArray

DEFAULT_BATCH_SIZE = 256
CHUNK = 256
"""Fewest rows whose vectors are saved at once: the most that each process loses when it is interrupted."""
ROWS_AT_ONCE = 4096
ORDER = "longest first"
"""Part of the cache key: stands for everything else that this module decides about the vectors."""


def embed(
    genes: Dataset,
    model: object,
    *,
    batch_size: int | None = None,
    device: str | None = None,
    progress: bool = False,
    fit_on: Dataset | None = None,
    on_encode: Callable[[], None] | None = None,
) -> Dataset:
    """Return the embedding table of a gene table: `symbol`, `embedding` (`List(float32, length=d)`).

    Genes whose input is null or blank are left out, and a warning in the log names them. The others are encoded in
    order of length, longest first, and returned in the order of the table. If memory runs out, the batch is halved
    and the work goes on.

    The vectors are cached beside the file of `genes` if it has one, under a key of everything they depend on: gene
    table, model id, revision, input column, options and code version. After an interruption, what was done is there
    too, and is not done again. A precomputed model returns its own table, one with `encode_table` makes it from the
    whole gene table, and a model with `parts` combines those of its parts.

    Args:
        genes: table with `symbol` and the model's input column.
        model: see `GeneEncoder`, or an object with `table()`.
        batch_size: genes handed to `encode` at once; default is the model's own, or 256.
        device: "cuda", "cuda:1", "mps" or "cpu"; several with commas between, one process each; default is every GPU,
            else the first that is there.
        progress: whether to show a progress bar on stderr.
        fit_on: table whose inputs `fit` sees; default is `genes`. With it, diseases are encoded by the words of genes.
        on_encode: called once, just before the first gene is encoded; not called if all comes from the cache.

    Raises:
        EncodingError: the genes lack a column, or `encode` did not return finite (n, d) vectors.
        ModelLoadError: the weights do not load, or the device is not there.
    """
    options: dict[str, Any] = {"batch_size": batch_size, "device": device, "progress": progress}
    found = _embedded(genes, model, options, fit_on=fit_on, on_encode=on_encode)
    return found.to_dataset() if isinstance(found, EmbeddingTable) else found


def embed_table(
    genes: Dataset,
    model: object,
    *,
    batch_size: int | None = None,
    device: str | None = None,
    progress: bool = False,
    fit_on: Dataset | None = None,
    on_encode: Callable[[], None] | None = None,
) -> EmbeddingTable:
    """Return the embedding table of a gene table as symbols and one matrix in memory; see `embed`."""
    options: dict[str, Any] = {"batch_size": batch_size, "device": device, "progress": progress}
    found = _embedded(genes, model, options, fit_on=fit_on, on_encode=on_encode)
    if isinstance(found, EmbeddingTable):
        return found
    return EmbeddingTable.from_dataset(found, where=getattr(model, "model_id", type(model).__name__))


def _embedded(
    genes: Dataset,
    model: object,
    options: Mapping[str, Any],
    *,
    fit_on: Dataset | None,
    on_encode: Callable[[], None] | None,
) -> Dataset | EmbeddingTable:
    """Return the table in the form that is there: in memory, or cached on disk."""
    if options["device"] is not None:
        # Even where nothing is computed: whether a missing device is refused should not depend on the cache.
        choose_devices(options["device"])
    for name in ("vector_table", "table"):
        if callable(make := getattr(model, name, None)):
            ready: Dataset | EmbeddingTable = make()
            return ready
    if callable(encode_table := getattr(model, "encode_table", None)):
        made: EmbeddingTable = encode_table(genes)
        return made
    parts = getattr(model, "parts", ())
    if callable(combine_tables := getattr(model, "combine_tables", None)):
        joined: EmbeddingTable = combine_tables(
            [embed_table(genes, part, **options, fit_on=fit_on, on_encode=on_encode) for part in parts]
        )
        return joined
    if callable(combine := getattr(model, "combine", None)):
        combined: Dataset = combine(
            [embed(genes, part, **options, fit_on=fit_on, on_encode=on_encode) for part in parts]
        )
        return combined
    return _cached_or_encoded(genes, model, options, fit_on=fit_on, on_encode=on_encode)


def _cached_or_encoded(
    genes: Dataset,
    model: object,
    options: Mapping[str, Any],
    *,
    fit_on: Dataset | None,
    on_encode: Callable[[], None] | None,
) -> Dataset:
    name, column = check_model(model)
    size = batch_size_of(model, options["batch_size"])
    inputs = read_inputs(genes, column, name=name)
    if not callable(getattr(model, "fit", None)) or (fit_on and fit_on._fingerprint == genes._fingerprint):
        fit_on = None
    key = cache_key(genes, model, fit_on)
    with work_folder(genes, key) as place:
        vectors = None
        if not place.cached:
            fitted = _fitted_values(inputs, fit_on, column, name)
            encoder = ChunkEncoder(model, name, place.folder, fitted, ["cpu"], size)
            rest: dict[str, Any] = {"device": options["device"], "progress": options["progress"]}
            vectors = _encode(inputs, encoder, column=column, on_encode=on_encode, **rest)
        with progress_bar(shown=False):
            embedded: Dataset = inputs.rows.map(
                _Assembler(vectors),
                input_columns=["symbol"],
                with_indices=True,
                batched=True,
                batch_size=ROWS_AT_ONCE,
                new_fingerprint=key,
                keep_in_memory=not place.kept,
                # Damaged vectors in a folder that cannot be written to must not be used.
                load_from_cache_file=None if place.cached else False,
            )
        if place.kept and not place.cached:
            record_hash(genes, key)
    return embedded


def batch_size_of(model: object, asked: int | None) -> int:
    """Return how many values are encoded at once.

    Raises:
        EncodingError: none are asked for.
    """
    size: int = asked if asked is not None else getattr(model, "batch_size", None) or DEFAULT_BATCH_SIZE
    if size < 1:
        message = f"batch size is {size}, expected 1 or more"
        raise EncodingError(message)
    return size


def chunk_of(batch_size: int) -> int:
    """Return the rows of a chunk: whole batches."""
    return -(-CHUNK // batch_size) * batch_size


def longest_first(inputs: Inputs, *, processes: int) -> NDArray[np.int64]:
    """Return the rows in the order in which they are encoded.

    Dealt out like cards: `map` gives each process one run of rows, and the long ones cost most.
    """
    by_length = np.argsort(-inputs.lengths, kind="stable")
    return np.concatenate([by_length[process::processes] for process in range(processes)])


class _Assembler:
    """Puts vectors beside symbols, for `Dataset.map`."""

    def __init__(self, vectors: NDArray[np.float32] | None) -> None:
        self._vectors = vectors

    def __call__(self, symbols: Sequence[str], rows: Sequence[int]) -> pa.Table:
        assert self._vectors is not None
        return arrow_table(symbols, self._vectors[rows[0] : rows[-1] + 1])


def _encode(
    inputs: Inputs,
    encoder: ChunkEncoder,
    *,
    column: str,
    device: str | None,
    progress: bool,
    on_encode: Callable[[], None] | None,
) -> NDArray[np.float32]:
    """Return the (n, d) vectors, in a file that is read as needed."""
    n = len(inputs.lengths)
    chunk = chunk_of(encoder.batch_size)
    if device is not None or callable(getattr(encoder.model, "load", None)):
        encoder.devices = choose_devices(device)[: -(-n // chunk)]
    processes = len(encoder.devices)
    order = longest_first(inputs, processes=processes)
    bounds = chunk_bounds(n, chunk=chunk, processes=processes)
    paths = [chunk_path(encoder.folder, *each, processes=processes) for each in bounds]
    blocks = [(path, order[start:stop]) for path, (start, stop) in zip(paths, bounds, strict=True)]
    # A chunk that is not what was written counts as absent from now on, so that it is encoded again.
    if any([read_chunk(path, rows=len(rows)) is None for path, rows in blocks]):
        if on_encode is not None:
            on_encode()
        encode_rows(inputs.rows.select(order), encoder, column=column, chunk=chunk, progress=progress)
    return _joined(blocks, n, folder=encoder.folder, name=encoder.name)


def _joined(
    blocks: Sequence[tuple[Path, NDArray[np.int64]]], n: int, *, folder: Path, name: str
) -> NDArray[np.float32]:
    """Read chunks into their rows of an (n, d) array, in a file that is read as needed."""
    vectors: NDArray[np.float32] | None = None
    for path, rows in blocks:
        block = read_chunk(path, rows=len(rows))
        if block is None:
            message = f"{name}: {path} was damaged or removed during the run; run it again"
            raise EncodingError(message)
        if vectors is None:
            vectors = _file_of_zeros(folder / "vectors.npy", (n, block.shape[1]))
        if block.shape[1] != vectors.shape[1]:
            dims = f"{vectors.shape[1]} numbers for some genes and {block.shape[1]} for others"
            message = f"{name}: encode returned {dims}"
            raise EncodingError(message)
        vectors[rows] = block
    assert vectors is not None
    return vectors


def _file_of_zeros(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return an array in a file whose space is reserved: if the disk were full, filling it would end the process."""
    vectors = np.lib.format.open_memmap(path, "w+", dtype=np.float32, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("rb+") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return vectors


def _fitted_values(inputs: Inputs, fit_on: Dataset | None, column: str, name: str) -> Callable[[], list[Any]]:
    rows = inputs.rows if fit_on is None else read_inputs(fit_on, column, name=name).rows
    return _Column(rows, column)


class _Column:
    """Reads a column when called: a lambda, but one that can be sent to another process."""

    def __init__(self, rows: Dataset, column: str) -> None:
        self._rows, self._column = rows, column

    def __call__(self) -> list[Any]:
        values: list[Any] = self._rows[self._column][:]
        return values


def check_model(model: object) -> tuple[str, str]:
    """Return the model's name and input column.

    Raises:
        EncodingError: it cannot encode, or lacks an attribute.
    """
    kind = type(model).__name__
    if not callable(getattr(model, "encode", None)):
        message = f"{kind} has no method encode(batch) that returns an (n, d) array; add one"
        raise EncodingError(message)
    if wrong := wrong_attribute(model):
        message = f"{kind}.{wrong}; set it on the class"
        raise EncodingError(message)
    described: Any = model
    return described.model_id, described.input_column


def cache_key(genes: Dataset, model: Any, fit_on: Dataset | None) -> str:
    """Hash everything the vectors depend on; `map` by itself would pickle the model, and the weights it loads."""
    parts = {
        "genes": genes._fingerprint,
        "fit_on": None if fit_on is None else fit_on._fingerprint,
        "model_id": model.model_id,
        "revision": getattr(model, "revision", None),
        "input_column": model.input_column,
        "options": dict(getattr(model, "options", {})),
        "adapter": getattr(model, "adapter", type(model).__qualname__),
        "version": getattr(model, "version", None) or source_sha256(type(model)),
        "order": ORDER,
    }
    try:
        text = json.dumps(parts, sort_keys=True)
    except TypeError as error:
        message = f"{model.model_id}: options must be plain numbers, strings, lists or dicts ({one_line(error)})"
        raise EncodingError(message) from error
    return hashlib.sha256(text.encode()).hexdigest()[:32]
