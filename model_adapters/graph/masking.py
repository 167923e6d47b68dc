"""Vectors of a share of the genes set to zero: how much of a score is the gene's own vector."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, Model
from model_adapters.combined import leading_options, record_of
from model_adapters.embedding.table import EmbeddingTable
from model_adapters.errors import UnknownModelError
from model_adapters.graph.propagation import share
from model_adapters.options import whole_number

__all__ = ["Masked"]


class Masked:
    """The vectors of a model, zero for a share of its genes: those that come first by a hash of seed and symbol.

    Shares are nested: with one seed, what is hidden at a quarter is hidden at a half too.
    """

    adapter: ClassVar[str] = "masked"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="masked:share=SHARE[,seed=N],MODEL",
        family="graph",
        input="that of MODEL",
        dimension="that of MODEL",
        source="vectors of MODEL, zero for a share of the genes",
        weights="those of MODEL",
    )

    def __init__(self, model: Model, *, share: float, seed: int = 0) -> None:
        self.parts = (model,)
        self.share, self.seed = share, seed
        self.model_id = f"masked:share={share:g},seed={seed},{model.model_id}"
        self.revision = model.revision
        self.options = {"share": share, "seed": seed, "parts": [record_of(model)]}

    @classmethod
    def from_argument(cls, argument: str, *, load: Callable[[str], Model]) -> Self:
        """Make the model of what follows `masked:`."""
        rest, options = leading_options(
            argument, {"share": share(), "seed": whole_number(minimum=0)}, adapter=cls.adapter
        )
        if not rest or "share" not in options:
            message = f"{cls.adapter} needs a share and a model: {cls.info.usage}"
            raise UnknownModelError(message)
        return cls(load(rest), **options)

    def combine_tables(self, tables: Sequence[EmbeddingTable]) -> EmbeddingTable:
        """Return the one table with zeros."""
        table = tables[0]
        order = sorted(
            range(len(table.symbols)),
            key=lambda row: hashlib.sha256(f"{self.seed} {table.symbols[row]}".encode()).digest(),
        )
        vectors = np.array(table.matrix, dtype=np.float32)
        vectors[order[: round(self.share * len(order))]] = 0
        return EmbeddingTable(table.symbols, vectors)
