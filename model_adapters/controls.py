"""Models that know nothing about genes: the floor of every table."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, GeneEncoder, Resolve
from model_adapters.errors import UnknownModelError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_DIM = 128
DEFAULT_SEED = 0


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
    input_column = "symbol"

    def __init__(self, *, seed: int = DEFAULT_SEED, dim: int = DEFAULT_DIM) -> None:
        """Raise UnknownModelError if `dim` is below 1."""
        if dim < 1:
            message = f"random: dim is {dim}, expected 1 or more"
            raise UnknownModelError(message)
        self.seed, self.dim = seed, dim
        self.options = {"seed": seed, "dim": dim}
        defaults = {"seed": DEFAULT_SEED, "dim": DEFAULT_DIM}
        changed = ",".join(f"{name}={value}" for name, value in self.options.items() if value != defaults[name])
        self.model_id = f"random:{changed}" if changed else "random"

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `random`, `random:seed=3` or `random:seed=3,dim=256`."""
        options: dict[str, int] = {}
        for part in filter(None, argument.split(",")):
            name, _, value = part.partition("=")
            if name not in ("seed", "dim"):
                hint = did_you_mean(name, ("seed", "dim"))
                message = f"random has no option {name!r}, expected seed=N or dim=N{hint}"
                raise UnknownModelError(message)
            try:
                options[name] = int(value)
            except ValueError:
                message = f"random: {name} is {value!r}, expected a whole number"
                raise UnknownModelError(message) from None
        return cls(**options)

    def encode(self, batch: list[str]) -> NDArray[np.float32]:
        """Return one (n, dim) row for each symbol."""
        return np.stack([self._vector(symbol) for symbol in batch])

    def _vector(self, symbol: str) -> NDArray[np.float32]:
        digest = hashlib.sha256(f"{self.seed} {self.dim} {symbol}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest, "little")).standard_normal(self.dim, dtype=np.float32)
