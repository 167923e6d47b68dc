"""What a model is, and how the gene table becomes an embedding table."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from model_adapters.errors import AdapterError, EncodingError, ModelLoadError, VectorsError, did_you_mean, one_line
from model_adapters.tables import arrow_table, check_symbols, finite_float32

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset
    from numpy.typing import NDArray

Resolve = Callable[[list[str]], Sequence[str | None]]
"""Maps identifiers to current gene symbols, None for what is unknown; the caller hands it over."""

DEFAULT_BATCH_SIZE = 256
DEVICES = ("cuda", "mps", "cpu")


@dataclass(frozen=True)
class AdapterInfo:
    """One line of `gene-bench models`: how MODEL is written, and what the vectors are made of."""

    usage: str
    family: str
    input: str
    dimension: str
    source: str


class Model(Protocol):
    """What `load_model` returns: enough to name a result; vectors come from `embed`."""

    @property
    def model_id(self) -> str:
        """Name that results are filed under."""

    @property
    def revision(self) -> str | None:
        """Version of weights, file or code; None where the adapter's version says it all."""

    @property
    def adapter(self) -> str:
        """Name of the adapter."""

    @property
    def options(self) -> Mapping[str, Any]:
        """Every choice that the vectors depend on."""


class GeneEncoder(ABC):
    """Convenient base of a model; any object with these attributes and `encode` is as good.

    `embed` also calls, where the model has them and only if the vectors are not cached: `load(device)` once, to make
    the weights ready on "cuda", "mps" or "cpu", then `fit(values)` once, with the whole input column.

    >>> class NameLength(GeneEncoder):
    ...     model_id = "name-length"
    ...     input_column = "name"
    ...
    ...     def encode(self, batch):
    ...         return np.array([[len(name)] for name in batch], dtype=np.float32)
    """

    model_id: str
    revision: str | None = None
    input_column: str = "description"
    batch_size: int | None = None
    options: Mapping[str, Any] = {}

    @abstractmethod
    def encode(self, batch: list[Any]) -> NDArray[Any]:
        """Return an (n, d) array of finite numbers, one row for each of the n values of the input column."""


def embed(
    genes: Dataset,
    model: object,
    *,
    batch_size: int | None = None,
    device: str | None = None,
    progress: bool = False,
    on_encode: Callable[[], None] | None = None,
) -> Dataset:
    """Return the embedding table of a gene table: `symbol`, `embedding` (`List(float32, length=d)`).

    Genes whose input is null are left out. The vectors are cached beside the file of `genes` if it has one, under a
    key of everything they depend on: gene table, model id, revision, input column, options and code version. A
    precomputed model returns its own table.

    Args:
        genes: table with `symbol` and the model's input column.
        model: see `GeneEncoder`, or an object with `table()`.
        batch_size: genes handed to `encode` at once; default is the model's own, or 256.
        device: "cuda", "mps" or "cpu"; default is the first that is there.
        progress: whether to show a progress bar on stderr.
        on_encode: called once, just before the first gene is encoded; not called if all comes from the cache.

    Raises:
        EncodingError: the genes lack a column, or `encode` did not return finite (n, d) vectors.
        ModelLoadError: the weights do not load, or the device is not there.
    """
    if callable(table := getattr(model, "table", None)):
        ready: Dataset = table()
        return ready
    name, column = _check_model(model)
    _check_genes(genes, column, name=name)
    size = batch_size if batch_size is not None else getattr(model, "batch_size", None) or DEFAULT_BATCH_SIZE
    if size < 1:
        message = f"batch size is {size}, expected 1 or more"
        raise EncodingError(message)
    key = _cache_key(genes, model)
    rows = _rows_with_input(genes, column, name=name)
    encoder = _BatchEncoder(rows, model, name=name, column=column, device=device, on_encode=on_encode)
    with _progress_bar(shown=progress):
        embedded: Dataset = rows.map(
            encoder,
            input_columns=["symbol", column],
            batched=True,
            batch_size=size,
            new_fingerprint=key,
            keep_in_memory=not _cache_is_writable(genes),
            desc=f"Embedding genes with {name}",
        )
    return embedded


def choose_device(device: str | None = None) -> str:
    """Return the device asked for, or the first of cuda, mps and cpu that this machine has.

    Raises:
        ModelLoadError: the device is unknown, or not on this machine.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device is None:
        return next(name for name in DEVICES if there[name])
    kind, _, index = device.partition(":")
    if kind not in there or (index and not index.isdigit()):
        message = f"unknown device {device!r}, expected {', '.join(DEVICES)}{did_you_mean(device, DEVICES)}"
        raise ModelLoadError(message)
    if not there[kind] or (kind == "cuda" and int(index or 0) >= torch.cuda.device_count()):
        message = f"device {device!r} is not on this machine; leave the choice out to take {choose_device()!r}"
        raise ModelLoadError(message)
    return device


def file_sha256(path: Path) -> str:
    """Return `sha256:<hex>` of a file's bytes, the revision of what has no other."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


class _BatchEncoder:
    """Encodes batch by batch for `Dataset.map`; the model is made ready at the first batch, so never on a cache hit."""

    def __init__(
        self,
        genes: Dataset,
        model: Any,
        *,
        name: str,
        column: str,
        device: str | None,
        on_encode: Callable[[], None] | None,
    ) -> None:
        self._genes, self._model, self._name, self._column = genes, model, name, column
        self._device, self._on_encode = device, on_encode
        self._dim: int | None = None

    def __call__(self, symbols: Sequence[str], values: Sequence[Any]) -> pa.Table:
        if self._dim is None:
            self._make_ready()
        first = f"the batch that begins with gene {symbols[0]}"
        with _as_model_error(EncodingError, f"{self._name}: encode failed on {first}"):
            returned = self._model.encode(list(values))
        vectors = self._checked(returned, symbols, first=first)
        self._dim = vectors.shape[1]
        return arrow_table(symbols, vectors)

    def _make_ready(self) -> None:
        if self._on_encode is not None:
            self._on_encode()
        if callable(load := getattr(self._model, "load", None)):
            device = choose_device(self._device)
            with _as_model_error(ModelLoadError, f"{self._name}: could not be loaded on {device}"):
                load(device)
        if callable(fit := getattr(self._model, "fit", None)):
            values = self._genes[self._column][:]
            with _as_model_error(EncodingError, f"{self._name}: fit failed on column {self._column!r}"):
                fit(values)

    def _checked(self, returned: Any, symbols: Sequence[str], *, first: str) -> NDArray[np.float32]:
        n = len(symbols)
        expected = f"expected a NumPy float array of shape ({n}, {self._dim or 'd'}) for {first}"
        try:
            array = np.asarray(returned)
        except (TypeError, ValueError, RuntimeError) as error:
            kind = type(returned).__name__
            message = f"{self._name}: encode returned a {kind} that is no array ({one_line(error)}); {expected}"
            raise EncodingError(message) from error
        if array.dtype.kind not in "fiu":
            message = f"{self._name}: encode returned {type(returned).__name__} of {array.dtype}; {expected}"
            raise EncodingError(message)
        wrong_dim = array.ndim == 2 and self._dim is not None and array.shape[1] != self._dim
        if array.ndim != 2 or array.shape[0] != n or array.shape[1] == 0 or wrong_dim:
            message = f"{self._name}: encode returned shape {array.shape}; {expected}"
            raise EncodingError(message)
        try:
            return finite_float32(array, symbols, where=f"{self._name}: encode returned")
        except VectorsError as error:
            raise EncodingError(str(error)) from None


@contextmanager
def _as_model_error(kind: type[AdapterError], what: str) -> Iterator[None]:
    """Turn any failure of the model's own code into one line; the traceback stays in `__cause__`."""
    try:
        yield
    except AdapterError:
        raise
    except Exception as error:
        message = f"{what}: {one_line(error)}"
        raise kind(message) from error


@contextmanager
def _progress_bar(*, shown: bool) -> Iterator[None]:
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    if shown or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


def _check_model(model: object) -> tuple[str, str]:
    kind = type(model).__name__
    if not callable(getattr(model, "encode", None)):
        message = f"{kind} has no method encode(batch) that returns an (n, d) array; add one"
        raise EncodingError(message)
    named: dict[str, str] = {}
    for attribute in ("model_id", "input_column"):
        value = getattr(model, attribute, None)
        if not isinstance(value, str) or not value:
            message = f"{kind}.{attribute} is {value!r}, expected a non-empty string; set it on the class"
            raise EncodingError(message)
        named[attribute] = value
    return named["model_id"], named["input_column"]


def _check_genes(genes: Dataset, column: str, *, name: str) -> None:
    columns = genes.column_names
    for wanted in ("symbol", column):
        if wanted not in columns:
            hint = did_you_mean(wanted, columns)
            message = f"{name} reads column {wanted!r}, but the gene table has {', '.join(columns) or 'none'}{hint}"
            raise EncodingError(message)
    try:
        check_symbols(genes["symbol"][:], where="the gene table")
    except VectorsError as error:
        raise EncodingError(str(error)) from None


def _rows_with_input(genes: Dataset, column: str, *, name: str) -> Dataset:
    """Leave out genes whose input is null, and any format: `map` would hand its arrays to `encode`."""
    rows = genes.with_format(None)
    if column == "symbol":
        return rows
    values = genes.with_format("arrow")[column][:]
    if not values.null_count:
        return rows
    present = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
    if not present.size:
        message = f"{name} reads column {column!r}, but it is empty for all {len(genes)} genes"
        raise EncodingError(message)
    return rows.select(present)


def _cache_key(genes: Dataset, model: Any) -> str:
    """Hash everything the vectors depend on; `map` by itself would pickle the model, and the weights it loads."""
    parts = {
        "genes": genes._fingerprint,
        "model_id": model.model_id,
        "revision": getattr(model, "revision", None),
        "input_column": model.input_column,
        "options": dict(getattr(model, "options", {})),
        "adapter": getattr(model, "adapter", type(model).__qualname__),
        "version": getattr(model, "version", None) or _source_sha256(type(model)),
    }
    try:
        text = json.dumps(parts, sort_keys=True)
    except TypeError as error:
        message = f"{model.model_id}: options must be plain numbers, strings, lists or dicts ({one_line(error)})"
        raise EncodingError(message) from error
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _source_sha256(kind: type) -> str | None:
    """Hash the code of a user's class, so that an edited `encode` is run again in a notebook too."""
    try:
        return hashlib.sha256(inspect.getsource(kind).encode()).hexdigest()
    except (OSError, TypeError):
        return None


def _cache_is_writable(genes: Dataset) -> bool:
    files = genes.cache_files
    return bool(files) and os.access(Path(files[0]["filename"]).parent, os.W_OK)
