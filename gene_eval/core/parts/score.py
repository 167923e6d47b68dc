"""Scores of classes that were called: of confusion tables, with intervals from resampled test rows."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.probe import Score

__all__ = ["HARD_METRICS", "RESAMPLES", "confusion", "hard_scores", "intervals", "resampled"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

HARD_METRICS: Final = ("mcc", "accuracy", "f1_macro")
RESAMPLES: Final = 2000
ENDS: Final = (0.025, 0.975)


def confusion(truth: npt.NDArray[Any], called: npt.NDArray[Any], *, n_classes: int) -> IntArray:
    """(F, K, K) rows of each class that each fit calls each class.

    Args:
        truth: (m,) classes.
        called: (F, m) classes.
        n_classes: K.

    >>> confusion(np.array([0, 0, 1]), np.array([[0, 1, 1]]), n_classes=2).tolist()
    [[[1, 1], [0, 1]]]
    """
    cells = np.stack([np.bincount(truth * n_classes + each, minlength=n_classes**2) for each in called])
    return cells.reshape(len(called), n_classes, n_classes)


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


def over_fits(tables: IntArray) -> dict[str, Score]:
    """Each metric over the fits: mean, population standard deviation, and one value for each."""
    values = hard_scores(tables)
    return {name: Score(float(each.mean()), float(each.std()), tuple(each.tolist())) for name, each in values.items()}


def resampled(tables: IntArray, *, resamples: int, seed: int | Sequence[int]) -> dict[str, Array]:
    """(resamples,) scores on test rows drawn with replacement; of several fits, the mean over fits drawn likewise.

    Rows drawn with replacement are a multinomial draw of the cells of a table.

    Args:
        tables: (F, K, K) of one fit, or of one for each draw of examples.
        resamples: How often.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    fits = rng.integers(0, len(tables), size=(resamples, len(tables)))
    found: dict[str, list[Array]] = {name: [] for name in HARD_METRICS}
    for table in tables:
        n = int(table.sum())
        drawn = rng.multinomial(n, table.ravel() / n, size=resamples)
        for name, values in hard_scores(drawn.reshape(-1, *table.shape)).items():
            found[name].append(values)
    return {
        name: np.take_along_axis(np.stack(values, axis=1), fits, axis=1).mean(axis=1) for name, values in found.items()
    }


def intervals(tables: IntArray, *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, tuple[float, float]]:
    """2.5 % and 97.5 % points over resampled test rows, metric by metric."""
    bounds = {
        name: np.quantile(values, ENDS) for name, values in resampled(tables, resamples=resamples, seed=seed).items()
    }
    return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}
