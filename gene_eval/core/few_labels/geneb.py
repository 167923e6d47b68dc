"""The protocol of GENEB (arXiv 2606.04525): stock logistic regression on frozen vectors, on all labels or a few.

Its harness fits scikit-learn's `LogisticRegression(max_iter=1000, random_state=seed)` on vectors as they are (C = 1,
L2, L-BFGS to a gradient of 1e-4) and scores the published test part, by the Matthews coefficient first. On vectors of
small numbers that solver stops long before the optimum, and published scores belong to where it stopped: so the very
same steps are taken here too, for large tasks in less time (`parts.logistic`). GENEB averages five seeds, which change
nothing where all rows are fitted; here that regime has an interval from resampled test rows instead, and the few-shot
regimes keep their spread over the seeds.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from gene_eval.core.checks import check_X
from gene_eval.core.errors import ProbeError
from gene_eval.core.parts.logistic import SMALL, Fitted, Rows, fit_logistic, raw_values
from gene_eval.core.parts.score import RESAMPLES, confusion, hard_scores, intervals, over_fits
from gene_eval.core.probe import Score
from gene_eval.core.table import TableRows

__all__ = [
    "GENEB_SEEDS",
    "GENEB_SHOTS",
    "GenebScores",
    "called_classes",
    "convergence",
    "draw_rows",
    "fit_stock",
    "hard_scores",
    "score_geneb",
]

IntArray = npt.NDArray[np.int64]

GENEB_SEEDS: Final = (13, 17, 42, 123, 997)
GENEB_SHOTS: Final = (None, 10, 1)
"""Examples of each class that are fitted: all, ten, one; the regimes `full`, `10shot` and `1shot`."""
MAX_ITER: Final = 1000


@dataclass(frozen=True)
class GenebScores:
    """What the protocol found in one regime.

    Attributes:
        shots: Examples of each class; None where all rows were fitted.
        scores: "mcc", "accuracy" and "f1_macro"; `folds` holds one value for each seed, one in all without draws.
        intervals: Without draws, metric to the 2.5 % and 97.5 % points over resampled test rows; empty with draws.
        convergence: `converged`, number of fits, and most iterations of one.
    """

    shots: int | None
    scores: dict[str, Score]
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    convergence: dict[str, Any] = field(default_factory=dict)


def draw_rows(y: npt.ArrayLike, *, shots: int, seed: int) -> IntArray:
    """Rows that GENEB fits on in a few-shot regime: up to `shots` of each class, by NumPy's legacy generator.

    One generator serves all classes of a seed, in sorted order, so the draw depends on the order of the rows.

    >>> draw_rows([0, 1, 0, 1, 0, 1], shots=1, seed=13).tolist()
    [2, 3]
    """
    labels = np.asarray(y)
    # The legacy generator, since its draws are what was published.
    generator = np.random.RandomState(seed)  # noqa: NPY002
    places = [np.flatnonzero(labels == name) for name in np.unique(labels)]
    return np.concatenate([generator.choice(rows, min(shots, len(rows)), replace=False) for rows in places])


def score_geneb(  # noqa: PLR0913 - two parts, and the options of one call
    train: tuple[npt.ArrayLike | TableRows, npt.ArrayLike],
    test: tuple[npt.ArrayLike | TableRows, npt.ArrayLike],
    *,
    shots: Sequence[int | None] = GENEB_SHOTS,
    seeds: Sequence[int] = GENEB_SEEDS,
    resamples: int = RESAMPLES,
    seed: int = 0,
    engine: str = "fast",
) -> list[GenebScores]:
    """Score vectors by the protocol.

    Args:
        train: (n, d) vectors and (n,) classes 0..K-1, in the published order of the rows. float32 is fitted in float32.
        test: (m, d) vectors and (m,) classes.
        shots: Examples of each class, one regime for each number; None for all rows.
        seeds: Seeds of the draws of a few-shot regime.
        resamples: How often test rows are drawn, for the intervals of a regime without draws.
        seed: Seed of the resampling.
        engine: "sklearn" fits with scikit-learn itself; "fast" takes the same steps in less time.

    Returns:
        The regimes in the order of `shots`.

    Raises:
        ProbeError: The arrays do not fit each other, a class of test is missing in train, or train has one class.

    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 200)
    >>> X = rng.normal(size=(200, 4)) + 9 * y[:, None]
    >>> full, few = score_geneb((X[:100], y[:100]), (X[100:], y[100:]), shots=[None, 5])
    >>> round(full.scores["mcc"].mean, 2), len(few.scores["mcc"].folds)
    (1.0, 5)
    """
    vectors, held_out = check_X(train[0]), check_X(test[0])
    y, truth = _check_classes(train[1], test[1], n=len(vectors), m=len(held_out))
    if vectors.shape[1] != held_out.shape[1]:
        msg = (
            f"vectors of train have {vectors.shape[1]} numbers and those of test {held_out.shape[1]}; give one model's"
        )
        raise ProbeError(msg)
    rows, tested = Rows.of(vectors), Rows.of(held_out)
    found = []
    for k in shots:
        fits = fit_stock(rows, y, shots=k, seeds=seeds, engine=engine)
        raw = raw_values(tested, fits)
        tables = confusion(truth, called_classes(raw, np.unique(y)), n_classes=int(max(y.max(), truth.max())) + 1)
        bounds = intervals(tables, resamples=resamples, seed=seed) if k is None else {}
        found.append(GenebScores(k, over_fits(tables), bounds, convergence(fits)))
    return found


def fit_stock(
    rows: Rows, y: IntArray, *, shots: int | None, seeds: Sequence[int] = GENEB_SEEDS, engine: str = "fast"
) -> list[Fitted]:
    """The fits of a regime: one on all rows, or one for each seed on what it draws.

    Args:
        rows: n rows in the published order.
        y: (n,) classes.
        shots: Examples of each class; None for all rows.
        seeds: Of the draws.
        engine: See `score_geneb`.
    """
    number = np.unique(y, return_inverse=True)[1]
    drawn = [np.arange(len(y))] if shots is None else [draw_rows(y, shots=shots, seed=each) for each in seeds]
    found = []
    for each in drawn:
        part = rows if shots is None else rows.take(each)
        is_small = len(part) * part.dim < SMALL
        if engine == "sklearn" or is_small:
            found.append(_fit_by_sklearn(part, number[each], max_iter=MAX_ITER))
        else:
            found.append(fit_logistic(part, number[each], max_iter=MAX_ITER, is_followed=True))
    return found


def called_classes(raw: Sequence[npt.NDArray[np.float64]], classes: IntArray) -> IntArray:
    """(F, m) the class that each fit predicts for each row, from `raw_values`.

    >>> called_classes([np.array([[0.5], [-1.0]])], np.array([3, 7])).tolist()
    [[7, 3]]
    """
    places = [(each[:, 0] > 0).astype(np.int64) if each.shape[1] == 1 else each.argmax(axis=1) for each in raw]
    found: IntArray = classes[np.stack(places)]
    return found


def _check_classes(y: npt.ArrayLike, y_test: npt.ArrayLike, *, n: int, m: int) -> tuple[IntArray, IntArray]:
    labels, truth = np.asarray(y), np.asarray(y_test)
    for name, given, rows in (("train", labels, n), ("test", truth, m)):
        if given.shape != (rows,) or given.dtype.kind not in "iub":
            msg = f"labels of {name} are {given.dtype} of shape {given.shape}; expected {rows} classes 0..K-1"
            raise ProbeError(msg)
    known = np.unique(labels)
    if len(known) < 2:
        msg = f"train has {len(known)} class; expected two or more"
        raise ProbeError(msg)
    if stray := sorted(set(np.unique(truth).tolist()) - set(known.tolist())):
        msg = f"class {stray[0]} of test is missing in train"
        raise ProbeError(msg)
    return labels.astype(np.int64), truth.astype(np.int64)


def _fit_by_sklearn(rows: Rows, y: IntArray, *, max_iter: int) -> Fitted:
    model = LogisticRegression(max_iter=max_iter)
    with warnings.catch_warnings():
        # Counted in the result instead.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows.array(), y)
    n_iter = int(model.n_iter_.max())
    return Fitted(model.coef_, model.intercept_, n_iter, n_iter < max_iter, np.empty(0))


def convergence(fits: Sequence[Fitted]) -> dict[str, Any]:
    """What a result says about how fits ended."""
    most = max(fit.n_iter for fit in fits)
    return {"converged": all(fit.is_converged for fit in fits), "n_fits": len(fits), "n_iter": most}
