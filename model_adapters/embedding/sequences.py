"""Vectors of many sequences: each is encoded once, whichever tasks it is in, and kept.

Vectors lie in chunk files below a folder for each model, beside a file with the keys of their rows. A key is the hash
of what the model reads, so that a sequence has one vector in all tasks. Chunks are written one by one: what was encoded
before an interruption is there afterwards. The vectors of a model with `is_cheap` are computed each time, because
reading them would take longer; so are those of a model without a version, because nothing would say when they are out
of date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.base import source_sha256
from model_adapters.embedding.cache import write_atomically
from model_adapters.embedding.chunks import read_chunk, save_chunk
from model_adapters.embedding.embed import embed_table
from model_adapters.embedding.inputs import logger
from model_adapters.embedding.table import EmbeddingTable
from model_adapters.errors import EncodingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["READS", "embed_sequences"]

READS = ("dna_sequence", "sequence", "symbol")
"""Input columns of models that can encode sequences; in `symbol` they find the identifier of a sequence."""
CHUNK = 4096
"""Sequences whose vectors are saved at once."""
KEY_BYTES = 16


def embed_sequences(  # noqa: PLR0913 - what is encoded, by what, and how
    ids: Sequence[str],
    sequences: Sequence[str],
    model: object,
    *,
    folder: Path | None = None,
    batch_size: int | None = None,
    device: str | None = None,
    progress: bool = False,
    on_encode: Callable[[int], None] | None = None,
) -> EmbeddingTable:
    """Encode sequences, or take their vectors from an earlier call.

    Args:
        ids: n distinct names.
        sequences: n sequences.
        model: A model with `encode` and an input column of `READS`, or a combination of such models.
        folder: Folder below which vectors are kept; None keeps none.
        batch_size: Sequences that the model encodes at a time; None takes the model's own.
        device: See `embed`.
        progress: Whether to show progress bars.
        on_encode: Called with the number of sequences that are encoded, before they are.

    Returns:
        The table, `ids` as its symbols.

    Raises:
        EncodingError: The model cannot encode sequences.
    """
    options: dict[str, Any] = {"batch_size": batch_size, "device": device, "progress": progress}
    reads = _columns_of(model)
    if strange := [column for column in reads if column not in READS]:
        message = (
            f"{_name(model)} reads {strange[0]!r}, and a task about sequences has none; take a model of DNA, such as"
            " kmer:k=4 or dna:NAME"
        )
        raise EncodingError(message)
    store = None if folder is None else _Store.of(model, folder)
    if store is None or reads != [getattr(model, "input_column", None)]:
        if on_encode is not None:
            on_encode(len(ids))
        return _embedded(ids, sequences, reads, model, options)
    keys = _keys(ids if reads == ["symbol"] else sequences)
    missing = store.missing(keys)
    if missing.size:
        if on_encode is not None:
            on_encode(len(missing))
        ready = _LoadedOnce(model)
        # Long ones first: what does not fit into memory is known at once.
        order = missing[np.argsort([-len(sequences[row]) for row in missing.tolist()], kind="stable")]
        for start in range(0, len(order), CHUNK):
            rows = order[start : start + CHUNK].tolist()
            part = _embedded([ids[row] for row in rows], [sequences[row] for row in rows], reads, ready, options)
            store.add(keys[rows], part.matrix)
    return EmbeddingTable(ids, store.read(keys), where=_name(model))


def _embedded(
    ids: Sequence[str], sequences: Sequence[str], reads: Sequence[str], model: Any, options: dict[str, Any]
) -> EmbeddingTable:
    from datasets import Dataset

    columns = {"symbol": list(ids), **{name: list(sequences) for name in reads if name != "symbol"}}
    try:
        return embed_table(Dataset.from_dict(columns), model, **options)
    except EncodingError as error:
        # Rows are called genes by whoever encodes them.
        message = str(error).replace(": gene ", ": sequence ").replace("with gene ", "with sequence ")
        raise EncodingError(message) from error


def _columns_of(model: Any) -> list[str]:
    """Input columns of a model, or of those it is made of; empty for a model that brings its vectors."""
    if parts := getattr(model, "parts", ()):
        return list(dict.fromkeys(column for part in parts for column in _columns_of(part)))
    column = getattr(model, "input_column", None)
    return [] if column is None else [column]


def _name(model: object) -> str:
    return str(getattr(model, "model_id", type(model).__name__))


def _keys(values: Sequence[str]) -> NDArray[np.void]:
    """(n,) hashes."""
    digests = b"".join(hashlib.sha256(value.encode()).digest()[:KEY_BYTES] for value in values)
    return np.frombuffer(digests, dtype=f"V{KEY_BYTES}")


class _LoadedOnce:
    """A model whose weights are loaded for the first of many chunks only."""

    def __init__(self, model: Any) -> None:
        self._model, self._device = model, ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._model, name)
        return self._load_once if name == "load" else value

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process it is loaded anew."""
        return _LoadedOnce, (self._model,)

    def _load_once(self, device: str) -> None:
        if self._device != device:
            self._model.load(device)
            self._device = device


class _Store:
    """The chunks of one model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._chunks: list[Path] = []
        self._keys = np.empty(0, dtype=f"V{KEY_BYTES}")
        # For each key, its chunk and its row there.
        self._places = np.empty((0, 2), dtype=np.int64)
        for path in sorted(folder.glob("*.keys")):
            self._index(path)

    @classmethod
    def of(cls, model: Any, folder: Path) -> _Store | None:
        """The store of a model; None where its vectors are not kept."""
        version = getattr(model, "version", None) or source_sha256(type(model))
        is_encoder = callable(getattr(model, "encode", None)) and not callable(getattr(model, "fit", None))
        if version is None or not is_encoder or getattr(model, "is_cheap", False):
            return None
        parts = {name: getattr(model, name, None) for name in ("model_id", "revision", "input_column", "adapter")}
        parts |= {"version": version, "options": dict(getattr(model, "options", {}))}
        key = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]
        try:
            return cls(folder / key)
        except OSError as error:
            logger.warning(f"{folder}: vectors cannot be kept there ({error.strerror or error})")
            return None

    def missing(self, keys: NDArray[np.void]) -> NDArray[np.int64]:
        """Positions of the keys that have no vector yet."""
        return np.flatnonzero(self._find(keys) < 0)

    def add(self, keys: NDArray[np.void], vectors: NDArray[np.float32]) -> None:
        """Keep vectors."""
        name = hashlib.sha256(keys.tobytes()).hexdigest()[:32]
        # The keys last: without them a chunk is not there.
        save_chunk(self._folder / f"{name}.chunk", vectors)
        write_atomically(self._folder / f"{name}.keys", keys.tobytes())
        self._index(self._folder / f"{name}.keys")

    def read(self, keys: NDArray[np.void]) -> NDArray[np.float32]:
        """(n, d) vectors, one chunk in memory at a time.

        Raises:
            EncodingError: A chunk is damaged; it is removed, so that the next run encodes its sequences again.
        """
        places = self._places[self._find(keys)]
        found: NDArray[np.float32] | None = None
        for chunk, block in self._blocks(np.unique(places[:, 0]).tolist()):
            if found is None:
                found = np.empty((len(keys), block.shape[1]), dtype=np.float32)
            rows = np.flatnonzero(places[:, 0] == chunk)
            found[rows] = block[places[rows, 1]]
        assert found is not None
        return found

    def _blocks(self, chunks: Sequence[int]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        for chunk in chunks:
            path = self._chunks[chunk]
            rows = path.with_suffix(".keys").stat().st_size // KEY_BYTES
            block = read_chunk(path, rows=rows)
            if block is None:
                path.with_suffix(".keys").unlink(missing_ok=True)
                message = f"{path} was damaged and is removed; run it again"
                raise EncodingError(message)
            yield chunk, block

    def _index(self, path: Path) -> None:
        keys = np.frombuffer(path.read_bytes(), dtype=f"V{KEY_BYTES}")
        places = np.stack([np.full(len(keys), len(self._chunks)), np.arange(len(keys))], axis=1)
        self._chunks.append(path.with_suffix(".chunk"))
        every = np.concatenate([self._keys, keys])
        order = np.argsort(every.view(f"S{KEY_BYTES}"), kind="stable")
        self._keys, self._places = every[order], np.concatenate([self._places, places])[order]

    def _find(self, keys: NDArray[np.void]) -> NDArray[np.int64]:
        """(n,) position of each key among those that are there, -1 where it is not."""
        if not len(self._keys):
            return np.full(len(keys), -1)
        known, wanted = self._keys.view(f"S{KEY_BYTES}"), keys.view(f"S{KEY_BYTES}")
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.where(known[at] == wanted, at, -1)
