"""Models made of other models: vectors side by side, and vectors given to the wrong genes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, Model
from model_adapters.embedding.table import EmbeddingTable
from model_adapters.errors import UnknownModelError, VectorsError
from model_adapters.options import Option, choice, read_options, whole_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

Load = Callable[[str], Model]
SCALES = ("none", "block", "row")
TAKE_ALL = ("shuffled", "combined", "masked", "propagate", "spectral")
"""Adapters whose argument is the rest of the string, even if there is a + in it."""


class ShuffledVectors:
    """The vectors of a model, each given to another gene: what a probe gets from their distribution alone.

    Genes are drawn by a hash of seed and symbol, so the permutation depends on the set of genes and not on their order.
    """

    adapter: ClassVar[str] = "shuffled"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="shuffled:MODEL or shuffled:seed=N,MODEL",
        family="control",
        input="that of MODEL",
        dimension="that of MODEL",
        source="vectors of MODEL, permuted between genes",
        weights="those of MODEL",
    )

    def __init__(self, model: Model, *, seed: int = 0) -> None:
        self.parts = (model,)
        self.seed = seed
        self.model_id = f"shuffled:seed={seed},{model.model_id}" if seed else f"shuffled:{model.model_id}"
        self.revision = model.revision
        self.options = {"seed": seed, "parts": [record_of(model)]}

    @classmethod
    def from_argument(cls, argument: str, *, load: Load) -> Self:
        """Make the model of `shuffled:MODEL`; `load` makes the one inside."""
        rest, options = leading_options(argument, {"seed": whole_number()}, adapter=cls.adapter)
        if not rest:
            message = f"shuffled needs a model: {cls.info.usage}"
            raise UnknownModelError(message)
        return cls(load(rest), **options)

    def combine_tables(self, tables: Sequence[EmbeddingTable]) -> EmbeddingTable:
        """Return the one table with its vectors permuted between the symbols."""
        symbols, vectors = tables[0].symbols, tables[0].matrix
        by_name = sorted(range(len(symbols)), key=symbols.__getitem__)
        by_hash = sorted(by_name, key=lambda row: hashlib.sha256(f"{self.seed} {symbols[row]}".encode()).digest())
        source = np.empty(len(symbols), dtype=np.int64)
        source[by_name] = by_hash
        return EmbeddingTable(symbols, vectors[source])


class CombinedVectors:
    """The vectors of several models side by side, for the genes that all of them have.

    With `scale="block"` the vectors of each model are divided by the root mean square of their lengths, with
    `scale="row"` each vector by its own length, so that no model outweighs another by its units alone.
    """

    adapter: ClassVar[str] = "combined"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="MODEL+MODEL or combined:scale=block,MODEL+MODEL",
        family="combination",
        input="those of the models",
        dimension="the sum of the models'",
        source="vectors of the models, side by side",
        weights="those of the models",
    )

    def __init__(self, parts: Sequence[Model], *, scale: str = "none") -> None:
        self.parts = tuple(parts)
        self.scale = scale
        ids = "+".join(part.model_id for part in parts)
        self.model_id = ids if scale == "none" else f"combined:scale={scale},{ids}"
        self.revision = None
        self.options = {"scale": scale, "parts": [record_of(part) for part in parts]}

    @classmethod
    def from_argument(cls, argument: str, *, load: Load) -> Self:
        """Make the model of `MODEL+MODEL`; `load` makes those inside."""
        rest, options = leading_options(argument, {"scale": choice(*SCALES)}, adapter=cls.adapter)
        specs = _split_parts(rest)
        if len(specs) < 2 or not all(specs):
            message = f"{argument!r} does not join two or more models; write MODEL+MODEL"
            raise UnknownModelError(message)
        return cls([load(spec) for spec in specs], **options)

    def combine_tables(self, tables: Sequence[EmbeddingTable]) -> EmbeddingTable:
        """Return the tables side by side, in the order of the first.

        Raises:
            VectorsError: no symbol is in all of the tables.
        """
        rows = [{symbol: row for row, symbol in enumerate(table.symbols)} for table in tables]
        shared = [symbol for symbol in tables[0].symbols if all(symbol in other for other in rows)]
        if not shared:
            counts = ", ".join(
                f"{part.model_id} has {len(each):,}" for part, each in zip(self.parts, rows, strict=True)
            )
            message = f"{self.model_id}: no gene has a vector in all of the models ({counts}); name genes by symbol"
            raise VectorsError(message)
        blocks = [
            _scaled(table.matrix[[each[symbol] for symbol in shared]], self.scale)
            for table, each in zip(tables, rows, strict=True)
        ]
        return EmbeddingTable(shared, np.concatenate(blocks, axis=1))


def _scaled(block: NDArray[np.float32], scale: str) -> NDArray[np.float32]:
    """Scale an (n, d) block; a zero vector stays zero."""
    if scale == "none":
        return block
    lengths = np.linalg.norm(block.astype(np.float64), axis=1, keepdims=True)
    if scale == "block":
        lengths = np.sqrt(np.mean(lengths**2, keepdims=True))
    divided: NDArray[np.float32] = (block / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return divided


def record_of(model: Model) -> dict[str, Any]:
    """What the options of a model made of others record about each of them."""
    return {
        "id": model.model_id,
        "revision": model.revision,
        "adapter": model.adapter,
        "options": dict(model.options),
    }


def leading_options(argument: str, known: dict[str, Option], *, adapter: str) -> tuple[str, dict[str, Any]]:
    """Split a wrapper's own options from the MODEL that follows them, whose options come last."""
    given = []
    while argument.partition("=")[0] in known:
        part, _, argument = argument.partition(",")
        given.append(part)
    return argument, read_options(given, known, adapter=adapter)


def _split_parts(specs: str) -> list[str]:
    """Split at each +; a wrapper among the parts takes everything that follows."""
    parts: list[str] = []
    rest: str | None = specs
    while rest is not None:
        part, plus, tail = rest.partition("+")
        if part.partition(":")[0] in TAKE_ALL:
            return [*parts, rest]
        parts.append(part)
        rest = tail if plus else None
    return parts
