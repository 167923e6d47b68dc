"""One embedding by several machines that share no cache: each encodes some of the chunks, and one puts them together.

A shard is every k-th chunk of the rows, longest first. Batches are those that one process makes, so that the vectors
are the same byte for byte where the machines compute the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model_adapters.base import choose_devices
from model_adapters.embedding.cache import folder_of, is_cached
from model_adapters.embedding.chunks import ChunkEncoder, chunk_bounds, chunk_path, save_chunk
from model_adapters.embedding.embed import batch_size_of, cache_key, check_model, chunk_of, longest_first
from model_adapters.embedding.inputs import Inputs, logger, read_inputs

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset
    from numpy.typing import NDArray

__all__ = ["LEAST", "Shard", "can_shard", "encode_shard", "keep_shards"]

LEAST = 4096
"""Rows of a table that is worth it: every shard loads the weights."""
WHOLE = ("vector_table", "table", "encode_table", "combine_tables", "combine", "fit")
"""Methods of models that see a table as a whole."""


@dataclass(frozen=True)
class Shard:
    """Chunks by their first and last rows: a hash of what was encoded, and the vectors."""

    chunks: dict[tuple[int, int], tuple[str, NDArray[np.float32]]]


def can_shard(model: object) -> bool:
    """Whether a model encodes each value by itself, and takes longer than to send the vectors around."""
    is_whole = any(callable(getattr(model, name, None)) for name in WHOLE) or bool(getattr(model, "parts", ()))
    return callable(getattr(model, "encode", None)) and not is_whole and not getattr(model, "is_cheap", False)


def encode_shard(
    genes: Dataset, model: Any, *, number: int, of: int, batch_size: int | None = None, device: str | None = None
) -> Shard | None:
    """Encode a shard of a gene table.

    Args:
        genes: As for `embed`.
        model: One that `can_shard`.
        number: Which shard, from 0.
        of: How many there are.
        batch_size: As for `embed`.
        device: As for `embed`.

    Returns:
        None where it is not worth it: the table is small, its vectors are cached here, or there are several devices.
    """
    name, column = check_model(model)
    size = batch_size_of(model, batch_size)
    devices = choose_devices(device) if device is not None or callable(getattr(model, "load", None)) else ["cpu"]
    if len(genes) < LEAST or len(devices) > 1 or is_cached(genes, cache_key(genes, model, None)):
        return None
    inputs = read_inputs(genes, column, name=name)
    # Neither a folder nor values to fit on are needed for chunks that are not written.
    encoder = ChunkEncoder(model, name, folder_of(genes, ""), list, devices, size)
    mine = [each for at, each in enumerate(_bounds(inputs, size)) if at % of == number]
    return Shard(
        {
            bounds: (_digest(model, symbols, values), encoder.vectors(symbols, values, devices[0]))
            for bounds, symbols, values in _chunks(inputs, column, mine)
        }
    )


def keep_shards(genes: Dataset, model: Any, shards: Sequence[Shard], *, batch_size: int | None = None) -> int:
    """Put shards where `embed` looks for what is done so far; what is not of the same inputs is left out.

    Returns:
        Shards that were kept, one or more chunks of each.
    """
    name, column = check_model(model)
    made = {bounds: (at, chunk) for at, shard in enumerate(shards) for bounds, chunk in shard.chunks.items()}
    key = cache_key(genes, model, None)
    if not made or not genes.cache_files or is_cached(genes, key):
        return 0
    folder, kept = folder_of(genes, key), set[int]()
    inputs = read_inputs(genes, column, name=name)
    wanted = [each for each in _bounds(inputs, batch_size_of(model, batch_size)) if each in made]
    try:
        folder.mkdir(exist_ok=True)
        for bounds, symbols, values in _chunks(inputs, column, wanted):
            at, (digest, vectors) = made[bounds]
            if digest == _digest(model, symbols, values):
                save_chunk(chunk_path(folder, *bounds, processes=1), vectors)
                kept.add(at)
    except OSError as error:
        logger.warning(f"{folder}: shards cannot be kept there ({error.strerror or error}) and are encoded again")
    return len(kept)


def _bounds(inputs: Inputs, batch_size: int) -> list[tuple[int, int]]:
    return chunk_bounds(len(inputs.lengths), chunk=chunk_of(batch_size), processes=1)


def _chunks(
    inputs: Inputs, column: str, bounds: Sequence[tuple[int, int]]
) -> Iterator[tuple[tuple[int, int], list[str], list[Any]]]:
    order = longest_first(inputs, processes=1)
    for start, stop in bounds:
        rows = inputs.rows.select(order[start:stop])
        yield (start, stop), rows["symbol"][:], rows[column][:]


def _digest(model: Any, symbols: Sequence[str], values: Sequence[Any]) -> str:
    about = [model.model_id, getattr(model, "revision", None), dict(getattr(model, "options", {}))]
    return hashlib.sha256(repr([about, list(symbols), list(values)]).encode()).hexdigest()
