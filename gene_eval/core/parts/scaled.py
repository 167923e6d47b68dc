"""The scaled protocol on published parts: standardised features, and C chosen on the part for validation.

Features are standardised by the training part, and a model is fitted to it for one C of `heads.scaled.GRID` after the
other, the smallest first. C is the one with the least summed log loss on the part for validation, the smallest on a
tie; larger ones are not tried once the loss has grown twice in a row. Where there is no part for validation, the loss
is summed over five inner folds of the training part, each standardised by the others, and the model is then fitted to
the whole training part.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError
from gene_eval.core.heads.scaled import GRID
from gene_eval.core.parts.logistic import Array, Fitted, Rows, Standardised, log_loss, raw_values
from gene_eval.core.parts.optimum import Curvature, fit_optimum
from gene_eval.core.splits import N_FOLDS, default_folds

__all__ = ["Tuned", "fit_scaled"]

TOL: Final = 1e-5
"""Of the logits. A fit that starts from that of the C before must move, or both losses are the same."""
STALL: Final = 2


@dataclass(frozen=True)
class Tuned:
    """The fit that was chosen.

    Attributes:
        fit: For the features as they are.
        C: Of the grid.
        losses: C to its summed log loss, of those that were tried.
        chosen_on: "validation" or "5 inner folds".
    """

    fit: Fitted
    C: float
    losses: dict[float, float]
    chosen_on: str


def fit_scaled(
    train: tuple[Rows, npt.NDArray[Any]], validation: tuple[Rows, npt.NDArray[Any]] | None, *, seed: int = 0
) -> Tuned:
    """Choose C and fit.

    Args:
        train: n rows and (n,) classes 0..K-1, each of which occurs.
        validation: Rows and classes to choose C on; None where the task has none.
        seed: Of the inner folds.

    Raises:
        ProbeError: There is no part for validation, and classes are too small for inner folds.
    """
    rows, y = train
    by = Standardised.by(rows)
    # Once for all fits: the only copy of the rows that there is.
    ready = Rows.of(by.apply(rows))
    target = "binary" if y.max() == 1 else "multiclass"
    folds = None if validation is not None else default_folds(y, target=target, seed=seed)
    inner = _of_validation(ready, y, validation, by) if folds is None else _of_folds(ready, y, folds)
    # Standardised by parts of the rows, features have nearly the same Gram matrix: one serves all fits.
    curvature = Curvature.of(ready)
    losses: dict[float, float] = {}
    fits: dict[float, Fitted] = {}
    starts: list[Array | None] = [None] * len(inner)
    for C in GRID:
        total = 0.0
        for number, each in enumerate(inner):
            fit = fit_optimum(each.rows, each.y, curvature, C=C, tol=TOL, start=starts[number], by=each.by)
            fits[C] = fit
            starts[number] = fit.parameters
            total += log_loss(*each.held_out(fit))
        losses[C] = total
        if len(losses) > STALL and min(list(losses.values())[-STALL:]) > min(losses.values()):
            break
    best = min(losses, key=lambda C: (losses[C], C))
    # With a part for validation the fits so far are of the whole training part.
    fit = fits[best] if folds is None else fit_optimum(ready, y, curvature, C=best, tol=TOL, start=starts[0])
    weights = fit.weights / by.scale
    plain = Fitted(weights, fit.intercepts - weights @ by.mean, fit.n_iter, fit.is_converged, fit.parameters)
    return Tuned(plain, best, losses, "validation" if folds is None else f"{N_FOLDS} inner folds")


@dataclass(frozen=True, eq=False)
class _Inner:
    """An inner fit: the rows that it is fitted to, and those whose loss counts."""

    rows: Rows
    y: npt.NDArray[Any]
    tested: Rows
    truth: npt.NDArray[Any]
    by: Standardised | None

    def held_out(self, fit: Fitted) -> tuple[Array, npt.NDArray[Any]]:
        (raw,) = raw_values(self.tested, [fit])
        return raw, self.truth


def _of_validation(
    ready: Rows, y: npt.NDArray[Any], validation: tuple[Rows, npt.NDArray[Any]] | None, by: Standardised
) -> list[_Inner]:
    assert validation is not None
    return [_Inner(ready, y, Rows.of(by.apply(validation[0])), validation[1], None)]


def _of_folds(ready: Rows, y: npt.NDArray[Any], folds: npt.NDArray[np.int64]) -> list[_Inner]:
    made = []
    for fold in range(N_FOLDS):
        rows, tested = ready.take(folds != fold), ready.take(folds == fold)
        inner, truth = y[folds != fold], y[folds == fold]
        # A class of five rows or fewer may be in one fold alone: a fit that has not seen it says nothing of it.
        if len(tested) and len(np.unique(inner)) == len(np.unique(y)):
            made.append(_Inner(rows, inner, tested, truth, Standardised.by(rows)))
    if not made:
        msg = "the smallest class has one training row, too few to choose C on; leave the protocol 'scaled' out"
        raise ProbeError(msg)
    return made
