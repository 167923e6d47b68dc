"""The protocol of GENEB (arXiv 2606.04525): stock logistic regression on frozen vectors, on all labels or a few.

Its harness fits scikit-learn's `LogisticRegression(max_iter=1000, random_state=seed)` on vectors as they are (C = 1,
L2, L-BFGS to a gradient of 1e-4) and scores the published test part, by the Matthews coefficient first. On vectors of
small numbers that solver stops long before the optimum, and published scores are of where it stopped: so it is the
solver here too, and no other engine. GENEB averages five seeds, which change nothing where all rows are fitted; here
that regime has an interval from resampled test rows instead, and the few-shot regimes keep their spread over the seeds.
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
from gene_eval.core.probe import Score

__all__ = ["GENEB_SEEDS", "GENEB_SHOTS", "GenebScores", "draw_rows", "score_geneb"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

GENEB_SEEDS: Final = (13, 17, 42, 123, 997)
GENEB_SHOTS: Final = (None, 10, 1)
"""Examples of each class that are fitted: all, ten, one; the regimes `full`, `10shot` and `1shot`."""
METRICS: Final = ("mcc", "accuracy", "f1_macro")
MAX_ITER: Final = 1000
RESAMPLES: Final = 2000
ROWS_AT_ONCE: Final = 8192


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

    One generator for all classes of a seed, classes in sorted order, so the draw goes by the order of the rows.

    >>> draw_rows([0, 1, 0, 1, 0, 1], shots=1, seed=13).tolist()
    [2, 3]
    """
    labels = np.asarray(y)
    # The legacy generator, since its draws are what was published.
    generator = np.random.RandomState(seed)  # noqa: NPY002
    places = [np.flatnonzero(labels == name) for name in np.unique(labels)]
    return np.concatenate([generator.choice(rows, min(shots, len(rows)), replace=False) for rows in places])


def score_geneb(
    train: tuple[npt.ArrayLike, npt.ArrayLike],
    test: tuple[npt.ArrayLike, npt.ArrayLike],
    *,
    shots: Sequence[int | None] = GENEB_SHOTS,
    seeds: Sequence[int] = GENEB_SEEDS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[GenebScores]:
    """Score vectors by the protocol.

    Args:
        train: (n, d) vectors and (n,) classes 0..K-1, in the published order of the rows. float32 is fitted in float32.
        test: (m, d) vectors and (m,) classes.
        shots: Examples of each class, one regime each; None for all rows.
        seeds: Of the draws of a few-shot regime.
        resamples: Of the test rows, for the intervals of a regime without draws.
        seed: Of the resampling.

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
    X, X_test = np.asarray(vectors), np.asarray(held_out)
    found = []
    for k in shots:
        rows = [np.arange(len(y))] if k is None else [draw_rows(y, shots=k, seed=each) for each in seeds]
        fits = [_fit(X if k is None else X[chosen], y[chosen], each) for chosen, each in zip(rows, seeds, strict=False)]
        tables = _confusion(fits, X_test, truth)
        intervals = _intervals(tables[0], resamples=resamples, seed=seed) if k is None else {}
        found.append(GenebScores(k, _over_draws(hard_scores(tables)), intervals, _convergence(fits)))
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


def _fit(X: npt.NDArray[Any], y: IntArray, seed: int) -> LogisticRegression:
    model = LogisticRegression(max_iter=MAX_ITER, random_state=seed)
    with warnings.catch_warnings():
        # Counted in the result instead.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def _convergence(fits: Sequence[LogisticRegression]) -> dict[str, Any]:
    most = max(int(fit.n_iter_.max()) for fit in fits)
    return {"converged": most < MAX_ITER, "n_fits": len(fits), "n_iter": most}


def _confusion(fits: Sequence[LogisticRegression], X: npt.NDArray[Any], truth: IntArray) -> IntArray:
    """(F, K, K) test rows of each class that each fit calls each class; one pass over X for all fits."""
    classes = fits[0].classes_
    number = np.searchsorted(classes, truth)
    tables = np.zeros((len(fits), len(classes), len(classes)), dtype=np.int64)
    for start in range(0, len(X), ROWS_AT_ONCE):
        block, rows = X[start : start + ROWS_AT_ONCE], number[start : start + ROWS_AT_ONCE]
        for table, fit in zip(tables, fits, strict=True):
            np.add.at(table, (rows, np.searchsorted(classes, fit.predict(block))), 1)
    return tables


def hard_scores(tables: npt.ArrayLike) -> dict[str, Array]:
    """Scores of predicted classes, of many confusion tables at once.

    Args:
        tables: (F, K, K) rows of each class by the class they were called.

    Returns:
        "mcc", the coefficient of Matthews in Gorodkin's form for K classes, 0 where a table has one row or column;
        "accuracy"; and "f1_macro", the mean F1 of the classes that occur in truth or prediction; (F,) each.

    >>> {name: values.round(3).tolist() for name, values in hard_scores([[[3, 1], [1, 3]]]).items()}
    {'mcc': [0.5], 'accuracy': [0.75], 'f1_macro': [0.75]}
    """
    counts = np.asarray(tables, dtype=np.float64)
    true, called, hits = counts.sum(axis=2), counts.sum(axis=1), np.diagonal(counts, axis1=1, axis2=2)
    n = counts.sum(axis=(1, 2))
    right = hits.sum(axis=1)
    covariance = right * n - (true * called).sum(axis=1)
    spread = np.sqrt((n**2 - (called**2).sum(axis=1)) * (n**2 - (true**2).sum(axis=1)))
    occurs = true + called > 0
    f1 = np.divide(2 * hits, true + called, out=np.zeros_like(hits), where=occurs)
    return {
        "mcc": np.divide(covariance, spread, out=np.zeros_like(n), where=spread > 0),
        "accuracy": right / n,
        "f1_macro": f1.sum(axis=1) / occurs.sum(axis=1),
    }


def _over_draws(values: dict[str, Array]) -> dict[str, Score]:
    return {name: Score(float(each.mean()), float(each.std()), tuple(each.tolist())) for name, each in values.items()}


def _intervals(table: IntArray, *, resamples: int, seed: int) -> dict[str, tuple[float, float]]:
    """2.5 % and 97.5 % points over test rows drawn with replacement: a multinomial draw of the table's cells."""
    n = int(table.sum())
    drawn = np.random.default_rng(seed).multinomial(n, table.ravel() / n, size=resamples)
    scores = hard_scores(drawn.reshape(-1, *table.shape))
    bounds = {name: np.quantile(values, (0.025, 0.975)) for name, values in scores.items()}
    return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}
