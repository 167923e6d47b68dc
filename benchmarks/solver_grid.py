"""Fits of made problems against scikit-learn at convergence: is what the fast engine calls converged right?

    python benchmarks/solver_grid.py [--only 1500_300]

324 problems: 60 to 1,500 rows, 12 to 400 columns, scales of the vectors from 1e-3 to 1e4, separable and noisy labels,
one label (balanced, and 5 % positive), three classes, several labels, and numbers. The reference is the better, by its
loss, of `newton-cholesky` at 1e-10 and `newton-cg` at 1e-12, for each stops early on some of them. Says which certified
problem differs by more than 1e-3 on a metric, and how many are not certified.
"""

import argparse
import itertools
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss

from gene_eval.core import Splits
from gene_eval.core.engines import Params, get_engine
from gene_eval.core.probe import held_out_values, score_splits

SIZES = ((60, 12), (150, 12), (400, 30), (300, 400), (1000, 100), (1500, 300))
SCALES = (1e-3, 1e-1, 1.0, 30.0, 1e3, 1e4)
NOISES = (0.0, 0.3, 1.5)
KINDS = ("binary", "rare", "classes", "labels", "numbers")
LARGE = 100_000
"""Elements above which only some kinds are tried, for time."""
WRONG = 1e-3
N_FOLDS = 3

Array = npt.NDArray[Any]


class Case(NamedTuple):
    """A problem: its size, the scale of its vectors, the noise of its labels and their kind."""

    n: int
    d: int
    scale: float
    noise: float
    kind: str

    def __str__(self) -> str:
        return f"{self.n}_{self.d}_{self.scale:g}_{self.noise:g}_{self.kind}"


def cases() -> Iterator[Case]:
    for (n, d), scale, noise, kind in itertools.product(SIZES, SCALES, NOISES, KINDS):
        is_large = n * d >= LARGE and (kind in ("labels", "binary") or noise == 0)
        if not (is_large or (kind == "numbers" and noise == max(NOISES)) or (n == 60 and kind == "rare")):
            yield Case(n, d, scale, noise, kind)


def made(case: Case) -> tuple[Array, Array, Array, str]:
    """Vectors, labels, folds and target."""
    rng = np.random.default_rng(case.n * 7 + case.d)
    X = rng.normal(size=(case.n, case.d))
    scores = X @ rng.normal(size=(case.d, 3)) / np.sqrt(case.d) + case.noise * rng.normal(size=(case.n, 3))
    first, folds = scores[:, 0], np.arange(case.n) % N_FOLDS
    labels: dict[str, tuple[Array, str]] = {
        "binary": (first > np.quantile(first, 0.5), "binary"),
        "rare": (first > np.quantile(first, 0.95), "binary"),
        "classes": (np.digitize(first, np.quantile(first, [0.4, 0.8])), "multiclass"),
        "labels": (scores > np.quantile(scores, [0.5, 0.7, 0.9], axis=0).diagonal(), "multilabel"),
        "numbers": (first, "regression"),
    }
    y, target = labels[case.kind]
    return (case.scale * X).astype(np.float32), y, folds, target


def _fitted(X: Array, y: Array) -> LogisticRegression:
    """The better of two solvers."""
    models = [
        LogisticRegression(solver="newton-cholesky", tol=1e-10, max_iter=1000).fit(X, y),
        LogisticRegression(solver="newton-cg", tol=1e-12, max_iter=2000).fit(X, y),
    ]
    return min(
        models,
        key=lambda model: log_loss(y, model.predict_proba(X), normalize=False) + 0.5 * float((model.coef_**2).sum()),
    )


def reference(X: Array, y: Array, folds: Array, target: str) -> Array:
    """Held-out values by scikit-learn, as an engine gives them."""
    X = X.astype(np.float64)
    values: Array | None = None
    for fold in range(N_FOLDS):
        train, test = folds != fold, folds == fold
        if target == "regression":
            found = LinearRegression().fit(X[train], y[train]).predict(X[test])
        elif target == "multiclass":
            found = _fitted(X[train], y[train]).predict_proba(X[test])
        elif target == "binary":
            found = _fitted(X[train], y[train]).decision_function(X[test])
        else:
            found = np.stack([_fitted(X[train], label).decision_function(X[test]) for label in y[train].T], axis=1)
        values = np.zeros((len(X), *found.shape[1:])) if values is None else values
        values[test] = found
    assert values is not None
    return values


def difference(case: Case) -> tuple[bool, float, str]:
    """Whether the engine says it converged, and the metric that differs most, of regression relative to its size."""
    X, y, folds, target = made(case)
    splits = Splits.from_folds(folds)
    outcome = get_engine("fast")(X, y, target=target, splits=splits, params=Params())
    names = [str(label) for label in range(y.shape[1])] if y.ndim == 2 else []
    ours, theirs = (
        score_splits(y, held_out_values(y, values, splits, target=target), splits, target=target, names=names)[0]
        for values in (outcome.values, reference(X, y, folds, target))
    )
    size = {metric: max(1.0, abs(score.mean)) if target == "regression" else 1.0 for metric, score in theirs.items()}
    gap, metric = max((abs(ours[name].mean - score.mean) / size[name], name) for name, score in theirs.items())
    return bool(outcome.convergence["converged"]), gap, metric


def main() -> None:
    """Print what is wrong, then the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="part of the name N_D_SCALE_NOISE_KIND of the cases to try")
    only = parser.parse_args().only
    # Each solver stops early on some problems, or where its line search ends in rounding; the better is taken.
    warnings.simplefilter("ignore")
    n, wrong, open_ = 0, 0, []
    for case in cases():
        if only in str(case):
            converged, gap, metric = difference(case)
            n += 1
            if not converged:
                open_.append(str(case))
            elif gap > WRONG:
                wrong += 1
                print(f"wrong: {case}, {metric} differs by {gap:.1e}", flush=True)
    print(f"{n} problems, {wrong} certified and wrong, {len(open_)} not certified: {', '.join(open_) or 'none'}")


if __name__ == "__main__":
    main()
