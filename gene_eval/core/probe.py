"""The probe: how well a linear model reads labels off vectors, by cross-validation on given folds."""

import math
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gene_eval.core.checks import check_folds, check_label_names, check_positive, check_X, check_y
from gene_eval.core.engines import DEFAULT_ENGINE, OPTIONS, PROTOCOLS, HeldOut, Params, get_engine
from gene_eval.core.errors import UnknownNameError
from gene_eval.core.metrics import METRICS, label_scores, multiclass_scores, multilabel_scores, regression_scores
from gene_eval.core.pairs import PairedRows
from gene_eval.core.table import TableRows

__all__ = ["ProbeResult", "Score", "probe"]

Array = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Score:
    """One metric over the folds.

    Attributes:
        mean: Over the folds where the metric is defined; nan if there is none.
        std: Population standard deviation (ddof 0) over the same folds.
        folds: One value per fold, in the order of the fold numbers; nan where undefined.
    """

    mean: float
    std: float
    folds: tuple[float, ...]

    @property
    def n_undefined(self) -> int:
        """Folds left out of mean and std because the metric does not exist there."""
        return sum(map(math.isnan, self.folds))


@dataclass(frozen=True)
class ProbeResult:
    """What a probe found and how it was run.

    Attributes:
        scores: Metric name to score, in the order of `metrics.METRICS[target]`.
        labels: For a multi-label task, label name to its binary metrics; empty otherwise.
        n: Rows scored.
        dim: Features.
        engine: Name of the engine.
        protocol: Name of the protocol.
        seed: As given.
        params: The settings that shaped the fits, e.g. `{"C": 1.0, "tol": 1e-8}`.
        convergence: `converged` (bool) and what else the engine tells about how its fits ended.
        seconds: What "solve" and "score" took.
    """

    scores: dict[str, Score]
    labels: dict[str, dict[str, Score]]
    n: int
    dim: int
    engine: str
    protocol: str
    seed: int
    params: dict[str, Any]
    convergence: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict, compare=False)


def probe(  # noqa: PLR0913 - two arrays and the options of one call; a config object would only move them
    X: npt.ArrayLike | PairedRows | TableRows,
    y: npt.ArrayLike,
    *,
    target: str,
    folds: npt.ArrayLike,
    seed: int = 0,
    protocol: str = "paper",
    engine: str = DEFAULT_ENGINE,
    label_names: Sequence[str] | None = None,
    device: str | None = None,
    **options: Any,
) -> ProbeResult:
    """Cross-validate a linear model from vectors to labels and score the held-out rows of every fold.

    The paper's protocol (arXiv 2412.04075) is scikit-learn's default objective on vectors as they are: L2 logistic
    regression with C = 1 (softmax for classes, one model per label for several labels), ordinary least squares for
    numbers.

    Args:
        X: (n, d) vectors, one row per gene; or rows of a `VectorTable`, which many tasks share; or `PairedRows`, for
            pairs of genes or of a gene and a disease.
        y: (n,) 0/1 for binary (1 is positive), (n,) classes for multiclass, (n, L) 0/1 for multilabel, (n,) numbers for
            regression.
        target: "binary", "multiclass", "multilabel" or "regression".
        folds: (n,) fold numbers; the rows of each distinct number are held out once.
        seed: For whatever the engine draws at random; written into the result.
        protocol: "paper"; or "scaled", features standardised inside each training fold and C (ridge alpha, 1 / C, for
            numbers) chosen by inner cross-validation over the other folds, see `scaled`.
        engine: "fast", which solves all labels and folds at once, or "sklearn", the readable reference.
        label_names: Names of the L labels of a multi-label task; their column numbers without.
        device: Where "fast" computes, "cpu" or "cuda"; by default the best there is.
        **options: `C` (inverse penalty, 1.0), `tol` and `max_iter` (when a fit stops; default: the engine's own, at
            convergence), `memory` (bytes the solves of "fast" may take beside the rows; results do not depend on it).
            They do not matter for regression, which is solved in closed form.

    Returns:
        Scores by metric, and by label for a multi-label task. A label that is constant in a fold's training or test
        rows is undefined there: it is left out of means and counted in `Score.n_undefined`.

    Raises:
        ProbeError: The arrays cannot be scored, or an option is unknown.

    >>> X = np.array([[0.0], [1], [2], [3], [0.1], [1.1], [2.1], [3.1]])
    >>> y, folds = [0, 0, 1, 1, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1]
    >>> probe(X, y, target="binary", folds=folds).scores["roc_auc"]
    Score(mean=1.0, std=0.0, folds=(1.0, 1.0))
    """
    for option in options:
        if option not in OPTIONS:
            raise UnknownNameError(option, kind="option", known=OPTIONS)
        check_positive(option, options[option])
    if protocol not in PROTOCOLS:
        raise UnknownNameError(protocol, kind="protocol", known=PROTOCOLS)
    fit = get_engine(engine)
    vectors = check_X(X)
    truth = check_y(y, target=target, n=len(vectors))
    numbers = check_folds(folds, n=len(vectors))
    names = check_label_names(label_names, target=target, n_labels=truth.shape[1] if truth.ndim == 2 else 0)

    params = Params(protocol=protocol, seed=seed, device=device, **_typed(options))
    began = time.perf_counter()
    out = fit(vectors, truth, target=target, folds=numbers, params=params)
    solved = time.perf_counter()
    _warn_unconverged(engine, out)
    scores, labels = _score(truth, out.values, numbers, target=target, names=names)
    return ProbeResult(
        scores=scores,
        labels=labels,
        n=len(vectors),
        dim=vectors.shape[1],
        engine=engine,
        protocol=protocol,
        seed=seed,
        params=out.params,
        convergence=out.convergence,
        seconds={"solve": solved - began, "score": time.perf_counter() - solved},
    )


def _typed(options: Mapping[str, float | None]) -> dict[str, Any]:
    kinds = {"C": float, "tol": float, "max_iter": int, "memory": float}
    return {name: kinds[name](value) for name, value in options.items() if value is not None}


def _warn_unconverged(engine: str, out: HeldOut) -> None:
    if out.convergence["converged"]:
        return
    facts = {**out.convergence, **out.params}
    details = ", ".join(f"{key} {value}" for key, value in facts.items() if key != "converged")
    msg = f"engine {engine!r} stopped before convergence ({details}); raise max_iter or tol"
    warnings.warn(msg, stacklevel=3)


def _score(
    y: npt.NDArray[Any], values: Array, folds: Folds, *, target: str, names: Sequence[str]
) -> tuple[dict[str, Score], dict[str, dict[str, Score]]]:
    """Score the held-out values of every fold: over all labels, and per label for a multi-label task."""
    overall: list[dict[str, float]] = []
    per_label: list[dict[str, Array]] = []
    for fold in range(folds.max() + 1):
        test = folds == fold
        if target == "regression":
            overall.append(_regression_fold(y[~test], y[test], values[test]))
        elif target == "multiclass":
            overall.append(_multiclass_fold(y[~test], y[test], values[test]))
        else:
            columns, decisions = y.reshape(len(y), -1), values.reshape(len(y), -1)
            summary, labels = _label_fold(columns[~test], columns[test], decisions[test], target=target)
            overall.append(summary)
            per_label.append(labels)
    scores = {metric: _over_folds([[fold[metric]] for fold in overall])[0] for metric in METRICS[target]}
    if target != "multilabel":
        return scores, {}
    table = {metric: _over_folds([fold[metric] for fold in per_label]) for metric in METRICS["binary"]}
    return scores, {name: {metric: table[metric][i] for metric in table} for i, name in enumerate(names)}


def _label_fold(
    train: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_], decisions: Array, *, target: str
) -> tuple[dict[str, float], dict[str, Array]]:
    learnable = train.any(axis=0) & ~np.all(train, axis=0)
    # Nothing can be learnt from a constant label but to repeat it; subset accuracy and Hamming loss still count it.
    decisions = np.where(learnable, decisions, np.where(train.all(axis=0), 1.0, -1.0))
    defined = learnable & test.any(axis=0) & ~test.all(axis=0)
    labels = {metric: np.where(defined, column, np.nan) for metric, column in label_scores(test, decisions).items()}
    if target == "binary":
        return {metric: float(column[0]) for metric, column in labels.items()}, labels
    return multilabel_scores(test, decisions, labels, defined), labels


def _multiclass_fold(train: Folds, test: Folds, probabilities: Array) -> dict[str, float]:
    n_classes = probabilities.shape[1]
    in_train, in_test = (np.bincount(part, minlength=n_classes) for part in (train, test))
    learnable = (in_train > 0) & (in_train < len(train))
    if not learnable.any() or in_test.max() == len(test):
        return dict.fromkeys(METRICS["multiclass"], math.nan)
    probabilities = np.where(in_train > 0, probabilities, 0.0)
    return multiclass_scores(test, probabilities, learnable & (in_test > 0))


def _regression_fold(train: Array, test: Array, predicted: Array) -> dict[str, float]:
    scores = regression_scores(test, predicted)
    if np.ptp(train) == 0:
        scores |= dict.fromkeys(("r2", "pearson", "spearman"), math.nan)
    return scores


def _over_folds(values: Sequence[npt.ArrayLike]) -> list[Score]:
    """One score per column of the (F, L) values."""
    table = np.asarray(values, dtype=np.float64)
    defined = ~np.isnan(table)
    count = defined.sum(axis=0)
    divisor = np.where(count > 0, count, np.nan)
    mean = np.where(defined, table, 0.0).sum(axis=0) / divisor
    std = np.sqrt(np.where(defined, (table - mean) ** 2, 0.0).sum(axis=0) / divisor)
    columns = zip(mean.tolist(), std.tolist(), table.T.tolist(), strict=True)
    return [Score(mean=m, std=s, folds=tuple(column)) for m, s, column in columns]
