"""A number for every pair of many models: a table that is read like a mapping."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PairSet", "PairValues"]


class PairValues(Mapping[tuple[str, str], float]):
    """(model, model) to a number, in both orders.

    >>> found = PairValues(("a", "b"), np.array([[np.nan, 0.5], [0.5, np.nan]]))
    >>> found["b", "a"], len(found), ("a", "a") in found
    (0.5, 2, False)
    """

    def __init__(self, models: Sequence[str], table: npt.NDArray[np.float64]) -> None:
        self.models, self.table = models, table
        self._numbers = {model: number for number, model in enumerate(models)}

    def __getitem__(self, pair: tuple[str, str]) -> float:
        one, other = pair
        if one == other:
            raise KeyError(pair)
        return float(self.table[self._numbers[one], self._numbers[other]])

    def of(self, model: str) -> dict[str, float]:
        """Every model to its number with one of them; nan with itself."""
        return dict(zip(self.models, self.table[self._numbers[model]].tolist(), strict=True))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((one, other) for one in self.models for other in self.models if one != other)

    def __len__(self) -> int:
        return len(self.models) * (len(self.models) - 1)


class PairSet(Set[tuple[str, str]]):
    """Pairs of models, in both orders."""

    def __init__(self, models: Sequence[str], table: npt.NDArray[np.bool_]) -> None:
        self.models, self.table = models, table
        self._numbers = {model: number for number, model in enumerate(models)}

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Any:
        return frozenset(it)

    def __contains__(self, pair: object) -> bool:
        if not (isinstance(pair, tuple) and len(pair) == 2 and self._numbers.keys() >= set(pair)):
            return False
        return bool(self.table[self._numbers[pair[0]], self._numbers[pair[1]]])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((self.models[i], self.models[j]) for i, j in np.argwhere(self.table).tolist())

    def __len__(self) -> int:
        return int(self.table.sum())
