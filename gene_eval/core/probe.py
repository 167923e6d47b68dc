"""The probe: how well a linear model, or another head, reads labels off vectors, on given folds or splits."""

import math
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gene_eval.core.checks import check_folds, check_label_names, check_positive, check_X, check_y
from gene_eval.core.engines import DEFAULT_ENGINE, OPTIONS, PROTOCOLS, HeldOut, Params
from gene_eval.core.errors import ProbeError, UnknownNameError
from gene_eval.core.graph.nodes import Graph
from gene_eval.core.heads.choices import LINEAR, Head, get_head, head_name, is_linear
from gene_eval.core.memory import bounded
from gene_eval.core.metrics import METRICS, label_scores, multiclass_scores, multilabel_scores, regression_scores
from gene_eval.core.pairs import PairedRows
from gene_eval.core.splits import Splits
from gene_eval.core.table import TableRows

__all__ = ["ProbeResult", "Score", "probe"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """One metric over the folds, or over whatever the splits are.

    Attributes:
        mean: Over the folds where the metric is defined; nan if there is none.
        std: Population standard deviation (ddof 0) over the same folds.
        folds: One value per split, for folds in the order of their numbers; nan where undefined.
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
        head: Name of the head.
        seconds: Seconds that "solve" and "score" took.
        draws: With few labels, metric to its mean over folds for each draw of examples; see `few_labels.few_shot`.
        values: What was scored: decision values (n,) for binary and (n, L) for multilabel, probabilities (n, K) for
            multiclass, predicted values (n,) for regression, each by the fit that did not see the row; nan where no
            split scores the row. A label that is constant in training has 1 or -1 there.
        split_of_row: (n,) the split that scored the row, for folds their number in ascending order; -1 where none did.
        called: On published parts, (F, n) class that each fit calls each test row, -1 elsewhere; see `parts.fits`.
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
    head: str = LINEAR
    seconds: dict[str, float] = field(default_factory=dict, compare=False)
    draws: dict[str, tuple[float, ...]] = field(default_factory=dict)
    values: Array = field(default_factory=lambda: np.empty(0), compare=False, repr=False)
    split_of_row: npt.NDArray[np.int64] = field(
        default_factory=lambda: np.empty(0, dtype=np.int64), compare=False, repr=False
    )
    called: npt.NDArray[np.int64] = field(
        default_factory=lambda: np.empty((0, 0), dtype=np.int64), compare=False, repr=False
    )


def probe(  # noqa: PLR0913 - two arrays and the options of one call; a config object would only move them
    X: npt.ArrayLike | PairedRows | TableRows,
    y: npt.ArrayLike,
    *,
    target: str,
    folds: npt.ArrayLike | None = None,
    splits: Splits | None = None,
    seed: int = 0,
    protocol: str = "paper",
    head: Head = LINEAR,
    engine: str = DEFAULT_ENGINE,
    label_names: Sequence[str] | None = None,
    device: str | None = None,
    graph: Graph | None = None,
    **options: Any,
) -> ProbeResult:
    """Fit a linear model from vectors to labels on every split and score the rows held out there.

    The paper's protocol (arXiv 2412.04075) is scikit-learn's default objective on vectors as they are: L2 logistic
    regression with C = 1 (softmax for classes, one model per label for several labels), ordinary least squares for
    numbers.

    Args:
        X: (n, d) vectors, one row per gene; or rows of a `VectorTable`, which many tasks share; or `PairedRows`, for
            pairs of genes or of a gene and a disease.
        y: (n,) 0/1 for binary (1 is positive), (n,) classes for multiclass, (n, L) 0/1 for multilabel, (n,) numbers for
            regression.
        target: "binary", "multiclass", "multilabel" or "regression".
        folds: (n,) fold numbers; the rows of each distinct number are held out once. Either folds or `splits`.
        splits: Which rows train and which are scored, where that is not cross-validation.
        seed: For whatever the engine draws at random; written into the result.
        protocol: "paper"; or "scaled", features standardised inside each training fold and C (ridge alpha, 1 / C, for
            numbers) chosen by inner cross-validation on the training rows, see `heads.scaled`. The modules of other
            heads say what it means for them.
        head: What is fitted: "linear"; "ridge", "mlp", "knn" or "centroid", see the modules of `heads`; "gcn", "gat" or
            "vote" with options, see `heads.graph`; or an estimator in scikit-learn's form, as an object or as
            `module:Class`.
        engine: Of the linear head: "fast", which solves all labels and folds at once, or "sklearn", the readable
            reference.
        label_names: Names of the L labels of a multi-label task; by default their column numbers.
        device: Where "fast" and networks compute, "cpu" or "cuda"; by default the best there is.
        graph: Edges between the rows of X, or of the table that X has rows of, for the heads "gcn", "gat" and "vote".
        **options: `C` (inverse penalty, 1.0), `tol` and `max_iter` (when a fit stops; default: the engine's own, at
            convergence), `memory` (bytes that all may take above the vectors, see `memory`; no result depends on it).
            They do not matter for regression, which is solved in closed form; other heads have none of them.

    Returns:
        Scores by metric, and by label for a multi-label task. A label that is constant in a split's training or test
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
    fit = get_head(head, engine=engine, graph=graph)
    if not is_linear(head) and (given := [name for name in options if name != "memory"]):
        msg = f"{given[0]} is an option of the head 'linear', not of {head_name(head)!r}; leave it out"
        raise ProbeError(msg)
    vectors = check_X(X)
    truth = check_y(y, target=target, n=len(vectors))
    splits = check_splits(folds, splits, n=len(vectors))
    names = check_label_names(label_names, target=target, n_labels=truth.shape[1] if truth.ndim == 2 else 0)

    params = Params(protocol=protocol, seed=seed, device=device, **_typed(options))
    outputs = int(truth.max()) + 1 if target == "multiclass" else 1
    bound_as = engine if is_linear(head) else head_name(head)
    params = bounded(params, vectors, engine=bound_as, target=target, outputs=outputs, n_splits=len(splits))
    began = time.perf_counter()
    try:
        out = fit(vectors, truth, target=target, splits=splits, params=params)
    except np.linalg.LinAlgError as error:
        msg = f"linear algebra failed on these vectors: {str(error).splitlines()[0]}"
        raise ProbeError(msg) from error
    solved = time.perf_counter()
    if is_linear(head):
        _warn_unconverged(engine, out)
    values = held_out_values(truth, out.values, splits, target=target)
    scores, labels = score_splits(truth, values, splits, target=target, names=names)
    return ProbeResult(
        scores=scores,
        labels=labels,
        n=len(vectors),
        dim=vectors.shape[1],
        engine=engine,
        head=head_name(head),
        protocol=protocol,
        seed=seed,
        params=out.params,
        convergence=out.convergence,
        seconds={"solve": solved - began, "score": time.perf_counter() - solved},
        values=values,
        split_of_row=splits.split_of_row,
    )


def check_splits(folds: npt.ArrayLike | None, splits: Splits | None, *, n: int) -> Splits:
    """The splits, or those of the folds.

    Raises:
        ProbeError: Both or neither are given, or they are of another number of rows.
    """
    if folds is not None and splits is None:
        return Splits.from_folds(check_folds(folds, n=n))
    if splits is None or folds is not None:
        msg = f"the probe takes either folds or splits, but got {'neither' if splits is None else 'both'}; give one"
        raise ProbeError(msg)
    if len(splits.blocks) != n:
        msg = f"X has {n} rows, but splits are of {len(splits.blocks)}"
        raise ProbeError(msg)
    return splits


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


def held_out_values(y: npt.NDArray[Any], predicted: Array, splits: Splits, *, target: str) -> Array:
    """Predictions of an engine as they are scored: nan for rows without a split, a constant for a constant label.

    A label that is constant in training teaches nothing but that constant, and a class that is absent there has
    probability 0.
    """
    values = np.full(predicted.shape, np.nan)
    for split in range(len(splits)):
        train, test = splits.train_rows(split), splits.test_rows(split)
        values[test] = predicted[test]
        if target == "multiclass":
            present = np.bincount(y[train], minlength=predicted.shape[1]) > 0
            # Where scores are not probabilities, the lowest of all.
            values[test] = np.where(present, predicted[test], min(0.0, predicted[test].min()))
        elif target != "regression":
            labels = y[train]
            constant = np.where(labels.all(axis=0), 1.0, -1.0)
            learnable = labels.any(axis=0) & ~labels.all(axis=0)
            values[test] = np.where(learnable, predicted[test], constant)
    return values


def score_splits(
    y: npt.NDArray[Any], values: Array, splits: Splits, *, target: str, names: Sequence[str]
) -> tuple[dict[str, Score], dict[str, dict[str, Score]]]:
    """Score the held-out values of every split: over all labels, and per label for a multi-label task."""
    overall: list[dict[str, float]] = []
    per_label: list[dict[str, Array]] = []
    for split in range(len(splits)):
        train, test = splits.train_rows(split), splits.test_rows(split)
        if target == "regression":
            overall.append(_regression_split(y[train], y[test], values[test]))
        elif target == "multiclass":
            overall.append(_multiclass_split(y[train], y[test], values[test]))
        else:
            columns, decisions = y.reshape(len(y), -1), values.reshape(len(y), -1)
            summary, labels = _label_split(columns[train], columns[test], decisions[test], target=target)
            overall.append(summary)
            per_label.append(labels)
    scores = {metric: over_splits([[split[metric]] for split in overall])[0] for metric in METRICS[target]}
    if target != "multilabel":
        return scores, {}
    table = {metric: over_splits([split[metric] for split in per_label]) for metric in METRICS["binary"]}
    return scores, {name: {metric: table[metric][i] for metric in table} for i, name in enumerate(names)}


def _label_split(
    train: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_], decisions: Array, *, target: str
) -> tuple[dict[str, float], dict[str, Array]]:
    # Subset accuracy and Hamming loss count a label that was constant in training; what ranks does not.
    learnable = train.any(axis=0) & ~np.all(train, axis=0)
    defined = learnable & test.any(axis=0) & ~test.all(axis=0)
    labels = {metric: np.where(defined, column, np.nan) for metric, column in label_scores(test, decisions).items()}
    if target == "binary":
        return {metric: float(column[0]) for metric, column in labels.items()}, labels
    return multilabel_scores(test, decisions, labels, defined), labels


def _multiclass_split(
    train: npt.NDArray[np.int64], test: npt.NDArray[np.int64], probabilities: Array
) -> dict[str, float]:
    n_classes = probabilities.shape[1]
    in_train, in_test = (np.bincount(part, minlength=n_classes) for part in (train, test))
    learnable = (in_train > 0) & (in_train < len(train))
    if not learnable.any() or in_test.max() == len(test):
        return dict.fromkeys(METRICS["multiclass"], math.nan)
    return multiclass_scores(test, probabilities, learnable & (in_test > 0))


def _regression_split(train: Array, test: Array, predicted: Array) -> dict[str, float]:
    scores = regression_scores(test, predicted)
    if np.ptp(train) == 0:
        scores |= dict.fromkeys(("r2", "pearson", "spearman"), math.nan)
    return scores


def over_splits(values: Sequence[npt.ArrayLike]) -> list[Score]:
    """One score per column of the (S, L) values."""
    table = np.asarray(values, dtype=np.float64)
    defined = ~np.isnan(table)
    count = defined.sum(axis=0)
    divisor = np.where(count > 0, count, np.nan)
    mean = np.where(defined, table, 0.0).sum(axis=0) / divisor
    std = np.sqrt(np.where(defined, (table - mean) ** 2, 0.0).sum(axis=0) / divisor)
    columns = zip(mean.tolist(), std.tolist(), table.T.tolist(), strict=True)
    return [Score(mean=m, std=s, folds=tuple(column)) for m, s, column in columns]
