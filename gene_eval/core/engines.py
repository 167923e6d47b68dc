"""What a probe engine is: arrays and splits in, held-out predictions out.

An engine solves the probe's objective on the training rows of every split and predicts those it scores. It computes
no metric: metrics, undefined labels and input checks are shared by all engines (`probe.py`, `metrics.py`, `checks.py`).
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import UnknownNameError
from gene_eval.core.splits import Splits
from gene_eval.core.table import Vectors

PROTOCOLS: Final = ("paper", "scaled")
OPTIONS: Final = ("C", "tol", "max_iter", "memory")

DEFAULT_ENGINE: Final = "fast"

ENGINES: Final[Mapping[str, str]] = {
    "fast": "gene_eval.core.solver.engine:held_out",
    "sklearn": "gene_eval.core.heads.linear:held_out",
}
"""Engine name -> `module:function`, imported on first use so that one engine never pays for another's imports."""


@dataclass(frozen=True)
class Params:
    """How to fit, for every engine. None stands for the engine's own default.

    Attributes:
        protocol: One of `PROTOCOLS`.
        seed: Seed of whatever an engine draws at random.
        C: Inverse of the L2 penalty, as in scikit-learn: the objective is `|w|^2 / 2 + C * sum of log losses`.
        tol: Where to stop, in the engine's own terms.
        max_iter: Most iterations of one fit.
        memory: Bytes that a solve may take beside the rows; by default a share of what is free. It changes no result.
        device: "cpu" or "cuda", for an engine that can choose; by default the best there is.
        low_precision: Whether an engine may make products in bfloat16, which change its steps but no result.
    """

    protocol: str = "paper"
    seed: int = 0
    C: float = 1.0
    tol: float | None = None
    max_iter: int | None = None
    memory: float | None = None
    device: str | None = None
    low_precision: bool = True


@dataclass(frozen=True)
class HeldOut:
    """What an engine returns.

    Attributes:
        values: Row i holds the prediction for row i of X by the fit that did not see it. Decision values (log-odds,
            positive means label 1) of shape (n,) for binary and (n, L) for multilabel, probabilities (n, K) for
            multiclass, predicted values (n,) for regression. What stands for a row that no split scores, for a label
            that is constant in a split's training rows, or for a class absent there, is overwritten by the caller.
        params: The settings that shaped the fits, e.g. `{"C": 1.0, "tol": 1e-8}`; written into results.
        convergence: `converged` (bool) and whatever else tells how the fits ended.
    """

    values: npt.NDArray[np.float64]
    params: dict[str, Any] = field(default_factory=dict)
    convergence: dict[str, Any] = field(default_factory=lambda: {"converged": True})


class Engine(Protocol):
    """A function that fits the training rows of every split and predicts the rows it scores."""

    def __call__(
        self,
        X: Vectors,
        y: npt.NDArray[Any],
        *,
        target: str,
        splits: Splits,
        params: Params,
    ) -> HeldOut:
        """Predict every scored row of X by a fit on the training rows of its split.

        Args:
            X: (n, d) finite float32 or float64, or rows, or pairs of rows, of such tables.
            y: (n,) bool for binary, (n, L) bool for multilabel, (n,) int64 0..K-1 for multiclass, (n,) float64 for
                regression. May be constant within a split's training rows.
            target: One of `checks.TARGETS`.
            splits: Of the n rows.
            params: How to fit.
        """


def get_engine(name: str) -> Engine:
    """The engine of that name.

    Raises:
        UnknownNameError: No such engine.
    """
    if name not in ENGINES:
        raise UnknownNameError(name, kind="engine", known=ENGINES)
    module, _, function = ENGINES[name].partition(":")
    return cast("Engine", getattr(importlib.import_module(module), function))
