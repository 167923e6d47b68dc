"""Runs a model over batches of inputs and keeps what is done: the part of `embed` that takes the time."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.embedding.cache import remove, write_atomically
from model_adapters.embedding.inputs import logger
from model_adapters.embedding.table import finite_float32
from model_adapters.errors import (
    AdapterError,
    EncodingError,
    ModelLoadError,
    RefusedInput,
    VectorsError,
    line_in,
    one_line,
)

if TYPE_CHECKING:
    from datasets import Dataset
    from numpy.typing import NDArray

HASH_BYTES = 32
"""A chunk file begins with the sha256 of what follows."""
OUT_OF_MEMORY = ("out of memory", "can't allocate memory")
"""What torch says where it raises a plain RuntimeError (Apple's GPUs, and the CPU)."""


@dataclass
class ChunkEncoder:
    """Encodes chunks of rows into files, for `Dataset.map`; a chunk whose file is there is not encoded again.

    The model is made ready in the process that encodes, at its first chunk.

    Args:
        model: The model.
        name: Name of the model, for messages.
        folder: Where the chunk files are.
        fit_on: Column of inputs that `fit` sees.
        devices: One for each process.
        batch_size: Values encoded at a time.
        dim: Length of a vector, once known.
        budget: Most that the longest value times the number of values of a batch may be; less after memory ran out.
        ready: Whether the model is loaded and fitted.
    """

    model: Any
    name: str
    folder: Path
    fit_on: Callable[[], list[Any]]
    devices: list[str]
    batch_size: int
    dim: int | None = None
    budget: int = sys.maxsize
    ready: bool = False

    def __call__(self, symbols: list[str], values: list[Any], rows: list[int], rank: int | None) -> None:
        """Encode the rows and save their vectors, unless that has been done."""
        path = chunk_path(self.folder, rows[0], rows[-1] + 1, processes=len(self.devices))
        if not path.exists():
            save_chunk(path, self.vectors(symbols, values, self.devices[rank or 0]))

    def vectors(self, symbols: list[str], values: list[Any], device: str) -> NDArray[np.float32]:
        """Encode the rows of a chunk."""
        if not self.ready:
            self._make_ready(device)
        return np.concatenate(list(self._batches(symbols, values)))

    def _make_ready(self, device: str) -> None:
        self.budget = getattr(self.model, "batch_length", None) or sys.maxsize
        if callable(load := getattr(self.model, "load", None)):
            with self._as_error(ModelLoadError, f"could not be loaded on {device}"):
                load(device)
        if callable(fit := getattr(self.model, "fit", None)):
            with self._as_error(EncodingError, f"fit failed on column {self.model.input_column!r}"):
                fit(self.fit_on())
        self.ready = True

    def _batches(self, symbols: list[str], values: list[Any]) -> Iterator[NDArray[np.float32]]:
        start = 0
        while start < len(values):
            # The longest comes first, and a batch is padded to it.
            longest = _length(values[start])
            size = min(self.batch_size, len(values) - start, max(1, self.budget // longest))
            stop = start + size
            vectors = self._encode(symbols[start:stop], values[start:stop])
            if vectors is not None:
                yield vectors
                start = stop
                continue
            _free_memory()
            if size == 1:
                message = f"{self.name}: not enough memory to encode gene {symbols[start]} alone"
                raise EncodingError(message + "; try another --device, or a smaller model or dtype")
            self.budget = size // 2 * longest
            message = f"{self.name}: out of memory at {size} genes of this length at once; continuing with {size // 2}"
            logger.warning(message)

    def _encode(self, symbols: list[str], values: list[Any]) -> NDArray[np.float32] | None:
        """Return checked vectors, or None if memory ran out."""
        first = f"the batch that begins with gene {symbols[0]}"
        with self._as_error(EncodingError, f"encode failed on {first}"):
            try:
                returned = self.model.encode(values)
            except RefusedInput as error:
                message = f"{self.name}: gene {symbols[error.position]}: {error}"
                raise EncodingError(message) from error
            except (MemoryError, RuntimeError) as error:
                if not _is_out_of_memory(error):
                    raise
                return None
        vectors = self._checked(returned, symbols, first=first)
        self.dim = vectors.shape[1]
        return vectors

    @contextmanager
    def _as_error(self, kind: type[AdapterError], what: str) -> Iterator[None]:
        """Turn any failure of the model's own code into one line; the traceback is kept in `__cause__`."""
        try:
            yield
        except AdapterError:
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            position = line_in(getattr(self.model, "code_file", None), error)
            message = f"{self.name}: {what}: {one_line(error)}{position}"
            raise kind(message) from error

    def _checked(self, returned: Any, symbols: Sequence[str], *, first: str) -> NDArray[np.float32]:
        n = len(symbols)
        expected = f"expected a NumPy float array of shape ({n}, {self.dim or 'd'}) for {first}"
        try:
            # A mask would be lost, and with it which numbers do not count.
            array = returned if isinstance(returned, np.ma.MaskedArray) else np.asarray(returned)
        except (TypeError, ValueError, RuntimeError) as error:
            kind = type(returned).__name__
            message = f"{self.name}: encode returned a {kind} that is not an array ({one_line(error)}); {expected}"
            raise EncodingError(message) from error
        if array.dtype.kind not in "fiu":
            message = f"{self.name}: encode returned {type(returned).__name__} of {array.dtype}; {expected}"
            raise EncodingError(message)
        wrong_dim = array.ndim == 2 and self.dim is not None and array.shape[1] != self.dim
        if array.ndim != 2 or array.shape[0] != n or array.shape[1] == 0 or wrong_dim:
            message = f"{self.name}: encode returned shape {array.shape}; {expected}"
            raise EncodingError(message)
        try:
            return finite_float32(array, symbols, where=f"{self.name}: encode returned")
        except VectorsError as error:
            raise EncodingError(str(error)) from None


def encode_rows(rows: Dataset, encoder: ChunkEncoder, *, column: str, chunk: int, progress: bool) -> None:
    """Run an encoder over rows through `Dataset.map`, in one process for each of its devices.

    Raises:
        AdapterError: the model failed, or a process was killed.
    """
    processes = len(encoder.devices)
    with progress_bar(shown=progress), _spawning(processes > 1):
        try:
            rows.map(
                encoder,
                input_columns=["symbol", column],
                with_indices=True,
                with_rank=True,
                batched=True,
                batch_size=chunk,
                num_proc=processes if processes > 1 else None,
                # Nothing is returned, so nothing is cached; without it, map would pickle the model to name the result.
                new_fingerprint="encoding",
                load_from_cache_file=False,
                desc=f"Embedding genes with {encoder.name}",
            )
        except RuntimeError as error:
            if processes == 1:
                raise
            message = f"{encoder.name}: a process ended before its work was done ({one_line(error)}); run it again"
            raise EncodingError(message) from error


def chunk_path(folder: Path, start: int, stop: int, *, processes: int) -> Path:
    """Return the file of the chunk of rows start to stop; which rows those are depends on the number of processes."""
    return folder / f"{processes}-{start:09d}-{stop:09d}.chunk"


def chunk_bounds(n: int, *, chunk: int, processes: int) -> list[tuple[int, int]]:
    """Return (start, stop) of the batches that `Dataset.map` makes of n rows, which it shards in order.

    >>> chunk_bounds(7, chunk=3, processes=2)
    [(0, 3), (3, 4), (4, 7)]
    """
    bounds, start = [], 0
    for process in range(processes):
        end = start + n // processes + (process < n % processes)
        bounds += [(at, min(at + chunk, end)) for at in range(start, end, chunk)]
        start = end
    return bounds


def save_chunk(path: Path, vectors: NDArray[np.float32]) -> None:
    """Write the sha256 of an .npy and the .npy itself; after a crash, the file is complete or not there."""
    content = io.BytesIO()
    np.save(content, vectors)
    write_atomically(path, hashlib.sha256(content.getbuffer()).digest(), content.getbuffer())


def read_chunk(path: Path, *, rows: int) -> NDArray[np.float32] | None:
    """Return the (rows, d) vectors of a chunk; None if there is none. Anything else there is removed."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        content = b""
    if hashlib.sha256(content[HASH_BYTES:]).digest() == content[:HASH_BYTES]:
        block: NDArray[np.float32] = np.load(io.BytesIO(content[HASH_BYTES:]), allow_pickle=False)
        if block.dtype == np.float32 and block.ndim == 2 and len(block) == rows and np.isfinite(block).all():
            return block
    logger.warning(f"{path.name}: not the vectors that were saved; its {rows:,} genes are encoded again")
    remove(path)
    return None


def _length(value: Any) -> int:
    return max(1, len(value)) if isinstance(value, str | list) else 1


def _is_out_of_memory(error: BaseException) -> bool:
    torch = sys.modules.get("torch")
    known = (MemoryError, torch.OutOfMemoryError) if torch else MemoryError
    return isinstance(error, known) or any(words in str(error).lower() for words in OUT_OF_MEMORY)


def _free_memory() -> None:
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def progress_bar(*, shown: bool) -> Iterator[None]:
    """Show the progress bars of `datasets`, unless the user has disabled them; or hide them."""
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    if shown or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@contextmanager
def _spawning(needed: bool) -> Iterator[None]:  # noqa: FBT001
    """Let `map` start fresh processes: one that was forked cannot use a GPU that this process has used."""
    import multiprocess  # type: ignore[import-untyped]

    if not needed:
        yield
        return
    before = multiprocess.get_start_method(allow_none=True)
    multiprocess.set_start_method("spawn", force=True)
    try:
        yield
    finally:
        multiprocess.set_start_method(before, force=True)
