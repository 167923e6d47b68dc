"""Controls whose vectors know next to nothing about genes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, GeneEncoder, Resolve
from model_adapters.embedding.table import EmbeddingTable
from model_adapters.errors import EncodingError, RefusedInput, UnknownModelError
from model_adapters.options import INPUT, id_with_options, one_of, split_options, whole_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_DIM = 128
DEFAULT_SEED = 0
LOOKUPS = ("family", "pair")


class RandomVectors(GeneEncoder):
    """Standard normal vectors that depend on seed, dimension and symbol only.

    So a gene has the same vector in every table, in any order, and with any other genes. The default dimension is
    below that of most models: a linear probe overfits more the more numbers it has, in regression above all, and a
    floor should not be low for that reason alone. Give `dim` to match a model.
    """

    adapter: ClassVar[str] = "random"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="random[:seed=N,dim=N]",
        family="control",
        input="symbol",
        dimension=f"{DEFAULT_DIM}, or dim=N",
        source="computed from seed and symbol",
    )
    is_cheap: ClassVar[bool] = True
    input_column = "symbol"

    def __init__(self, *, seed: int = DEFAULT_SEED, dim: int = DEFAULT_DIM) -> None:
        self.seed, self.dim = seed, dim
        self.options = {"seed": seed, "dim": dim}
        self.model_id = id_with_options("random", self.options, {"seed": DEFAULT_SEED, "dim": DEFAULT_DIM})

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `random`, `random:seed=3` or `random:seed=3,dim=256`."""
        known = {"seed": whole_number(), "dim": whole_number(minimum=1)}
        rest, options = split_options(argument, known, adapter=cls.adapter)
        if rest:
            message = f"random takes no argument, but {rest!r} was given; write {cls.info.usage}"
            raise UnknownModelError(message)
        return cls(**options)

    def encode(self, batch: list[str]) -> NDArray[np.float32]:
        """Return one (n, dim) row for each symbol."""
        return np.stack([self._vector(symbol) for symbol in batch])

    def _vector(self, symbol: str) -> NDArray[np.float32]:
        digest = hashlib.sha256(f"{self.seed} {self.dim} {symbol}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest, "little")).standard_normal(self.dim, dtype=np.float32)


class Lookup:
    """No vectors: a gene's score is the mean training label of its family, or of the pairs that it is in.

    What a task gives away to whoever knows only which genes are related (`family`), or how often each gene is in a
    related pair (`pair`). It needs the labels of training rows, so that a run computes it and `embed` cannot.
    """

    adapter: ClassVar[str] = "lookup"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="lookup:family or lookup:pair",
        family="control",
        input="labels of the training rows",
        dimension="none",
        source="mean training label of the gene's family, or of the gene's pairs",
    )
    revision = None

    def __init__(self, by: str) -> None:
        self.lookup_by = by
        self.model_id = f"{self.adapter}:{by}"
        self.options: dict[str, Any] = {"by": by}

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `lookup:family` or `lookup:pair`."""
        return cls(one_of(argument, tuple(LOOKUPS), adapter=cls.adapter))

    def encode_table(self, genes: Any) -> EmbeddingTable:
        """Refuse, because there is nothing to embed."""
        message = f"{self.model_id} has no vectors, only scores from training labels; gene-bench run {self.model_id}"
        raise EncodingError(message)


class InputLength(GeneEncoder):
    """One number for each gene: log(1 + characters) of its description, or of its protein with `input`.

    Well-studied genes have long summaries, so a text model may score by length alone; this says how far that goes.
    """

    adapter: ClassVar[str] = "length"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="length[:input=COLUMN]",
        family="control",
        input="description, or input=COLUMN (protein_sequence, ...)",
        dimension="1",
        source="computed from the gene table",
    )

    def __init__(self, *, input: str = "description") -> None:
        self.input_column = input
        self.options = {"input": input}
        self.model_id = id_with_options("length", self.options, {"input": "description"})

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `length` or `length:input=protein_sequence`."""
        rest, options = split_options(argument, {"input": INPUT}, adapter=cls.adapter)
        if rest:
            message = f"length takes no argument, but {rest!r} was given; write {cls.info.usage}"
            raise UnknownModelError(message)
        return cls(**options)

    def encode(self, batch: list[str]) -> NDArray[np.float32]:
        """Return (n, 1) logarithms of lengths.

        Raises:
            RefusedInput: a value is not text.
        """
        for position, value in enumerate(batch):
            if not isinstance(value, str):
                message = f"{self.input_column} is a {type(value).__name__}, expected text"
                raise RefusedInput(position, message)
        return np.log1p(np.array([[len(value)] for value in batch], dtype=np.float32))
