"""Seconds of cells that were not run yet, estimated from the timings in existing results.

The logarithm of the seconds is linear in the logarithms of the rows, the length of the vectors, the labels and the
cross-validations, with a constant for each head, protocol and number of shots. The coefficients are those of ridge
regression towards a first guess (seconds in proportion to each), which a few results hardly move and many overrule.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gene_eval.results.records import TaskResult
from gene_eval.results.settings import Settings

__all__ = ["Costs", "Sizes", "seconds_of"]

GUESS: Final = (1.0, 1.0, 1.0, 1.0)
"""Exponents of rows, dimensions, labels and repeats where there are no results."""
WEIGHT: Final = 1.0
"""Weight of the guess, in results (of one standard deviation in the logarithm of a size)."""
FEWEST: Final = 3
"""Fewest results for an estimate."""
STAGES: Final = ("solve_s", "score_s")


class Sizes(NamedTuple):
    """What the seconds of a cell depend on."""

    n: int
    dim: int
    labels: int = 1
    repeats: int = 1
    kind: str = ""

    @property
    def logarithms(self) -> list[float]:
        """Of the four sizes."""
        return [math.log(max(size, 1)) for size in self[:4]]


def kind_of(settings: Settings) -> str:
    """Cells of one kind have a constant of their own."""
    return f"{settings.head} {settings.protocol} {settings.engine} {settings.shots or 'all'}"


def sizes_of(result: TaskResult) -> Sizes:
    """Sizes of a result."""
    task = result.task
    labels = len(task.label_names) if task.target in ("multiclass", "multilabel") else 1
    return Sizes(result.coverage.n_scored, result.model.dim, labels, task.repeats, kind_of(result.settings))


def seconds_of(result: TaskResult) -> float:
    """Seconds of a result, without the embedding; NaN where the file does not say."""
    found = [result.timing[stage] for stage in STAGES if stage in result.timing]
    return sum(found) if found else math.nan


@dataclass(frozen=True)
class Costs:
    """A fitted model of seconds.

    Args:
        slopes: (4,) exponents of rows, dimensions, labels and repeats.
        constants: Kind of cell to its constant; "" is the mean of all.
        factor: Largest error factor of four in five past results, each predicted by a model fitted without it.
        n: Results that it was fitted to.
    """

    slopes: npt.NDArray[np.float64]
    constants: dict[str, float]
    factor: float
    n: int

    @classmethod
    def fit(cls, results: Iterable[TaskResult]) -> "Costs | None":
        """Fit to the timings of results; None where fewer than three have any."""
        measured = [(sizes_of(each), seconds_of(each)) for each in results]
        # Older files, imported scores, and what took less than the clock's resolution.
        measured = [(sizes, seconds) for sizes, seconds in measured if seconds > 0 and sizes.dim]
        if len(measured) < FEWEST:
            return None
        return cls.of([sizes for sizes, _ in measured], [seconds for _, seconds in measured])

    @classmethod
    def of(cls, sizes: Sequence[Sizes], seconds: Sequence[float]) -> "Costs":
        """Fit to sizes and seconds."""
        kinds = sorted({each.kind for each in sizes})
        X = np.array([each.logarithms for each in sizes])
        which = np.array([kinds.index(each.kind) for each in sizes])
        y = np.log(seconds)
        slopes, constants, off = _ridge(X, which, y, len(kinds))
        mean = float(np.average(constants, weights=np.bincount(which)))
        return cls(slopes, {**dict(zip(kinds, constants.tolist(), strict=True)), "": mean}, off, len(sizes))

    def seconds(self, sizes: Sizes) -> float:
        """Of one cell.

        >>> costs = Costs.of([Sizes(100, 10), Sizes(200, 10), Sizes(400, 10)], [1.0, 2.0, 4.0])
        >>> round(costs.seconds(Sizes(800, 10)), 6)
        8.0
        """
        constant = self.constants.get(sizes.kind, self.constants[""])
        return math.exp(constant + float(np.array(sizes.logarithms) @ self.slopes))


def _ridge(
    X: npt.NDArray[np.float64], which: npt.NDArray[np.int64], y: npt.NDArray[np.float64], n_kinds: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """Slopes, constants, and the largest error factor of four in five results where each is left out of the fit."""
    centre_x, centre_y = (_means(each, which, n_kinds) for each in (X, y[:, None]))
    A = X - centre_x[which]
    rest = y - centre_y[which, 0] - A @ np.array(GUESS)
    inverse = np.linalg.inv(A.T @ A + WEIGHT * np.eye(X.shape[1]))
    slopes = np.array(GUESS) + inverse @ A.T @ rest
    constants = centre_y[:, 0] - centre_x @ slopes
    residual = y - constants[which] - X @ slopes
    # Without a row that is alone in its kind, nothing is known about the kind: it says nothing about the error.
    leverage = np.einsum("ij,jk,ik->i", A, inverse, A) + 1 / np.bincount(which, minlength=n_kinds)[which]
    known = leverage < 1 - 1e-9
    off = np.abs(residual[known]) / (1 - leverage[known])
    return slopes, constants, math.exp(float(np.quantile(off, 0.8))) if len(off) else math.nan


def _means(values: npt.NDArray[np.float64], which: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.float64]:
    sums = np.zeros((n, values.shape[1]))
    np.add.at(sums, which, values)
    means: npt.NDArray[np.float64] = sums / np.bincount(which, minlength=n)[:, None]
    return means
