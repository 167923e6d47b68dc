"""What `gene-bench run` does on published parts with a linear model: fit on one part, tune on another, score the third.

Protocols are `geneb` (see `few_labels.geneb`) and `scaled` (see `parts.scaled`), on all training rows or on few. Few
rows are drawn the same way in both. Under `scaled` they are standardised by the whole training part, for which no label
is needed, and fitted with C = 0.1, as in `few_labels.few_shot`: there is nothing to choose C on.
"""

import math
import time
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.special

from gene_eval.core.checks import check_X
from gene_eval.core.errors import ProbeError
from gene_eval.core.few_labels.fits import logistic
from gene_eval.core.few_labels.geneb import (
    GENEB_SEEDS,
    MAX_ITER,
    called_classes,
    convergence,
    draw_rows,
    fit_stock,
)
from gene_eval.core.parts.logistic import (
    SMALL,
    Array,
    Fitted,
    IntArray,
    Rows,
    Standardised,
    n_cores,
    raw_values,
)
from gene_eval.core.parts.optimum import AT_ONCE
from gene_eval.core.parts.scaled import fit_scaled
from gene_eval.core.parts.score import confusion, over_fits
from gene_eval.core.probe import ProbeResult, score_splits
from gene_eval.core.splits import Splits
from gene_eval.core.table import Vectors

__all__ = ["GENEB", "PROTOCOLS", "Parts", "score_parts"]

GENEB: Final = "geneb"
PROTOCOLS: Final = (GENEB, "scaled")
FEW_C: Final = 0.1
PART_NAMES: Final = ("train", "validation", "test")
UNSEEN: Final = -1
SLACK: Final = 1 << 24
"""Bytes of everything that is smaller than the rows: steps of L-BFGS, values."""
PER_CORE: Final = 1 << 23
"""Bytes of blocks of rows."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Which rows are in which part.

    Attributes:
        codes: (n,) 0 train, 1 validation, 2 test; any other number is in none.
    """

    codes: npt.NDArray[Any]

    def rows(self, part: str) -> IntArray:
        """Row numbers of a part, ascending."""
        return np.flatnonzero(self.codes == PART_NAMES.index(part))

    def splits(self) -> Splits:
        """One split: train on one part, score the last.

        Raises:
            ProbeError: One of them is empty.

        >>> Parts(np.array([0, 2, 1, 0])).splits().split_of_row.tolist()
        [-1, 0, -1, -1]
        """
        is_in = np.eye(len(PART_NAMES) + 1, dtype=bool)
        known = (self.codes >= 0) & (self.codes < len(PART_NAMES))
        blocks = np.where(known, self.codes, len(PART_NAMES)).astype(np.int64)
        return Splits(blocks, is_in[:1], is_in[2:3])


def score_parts(  # noqa: PLR0913 - two arrays, their parts, and the options of one call
    X: npt.ArrayLike | Vectors,
    y: npt.NDArray[Any],
    parts: Parts,
    *,
    target: str,
    protocol: str = GENEB,
    shots: int | None = None,
    engine: str = "fast",
    seed: int = 0,
    memory: float | None = None,
) -> ProbeResult:
    """Fit and score; scores are of the test part.

    Args:
        X: (n, d) vectors, or rows of a table; few rows are drawn by their order.
        y: (n,) classes 0..K-1.
        parts: Of the rows.
        target: "binary" or "multiclass".
        protocol: "geneb" or "scaled".
        shots: Examples of each class, drawn once for each seed of GENEB; None fits on the whole training part.
        engine: "sklearn" fits geneb's protocol with scikit-learn itself.
        seed: Of inner folds.
        memory: Bytes that all may take above the vectors; None asks nobody.

    Returns:
        `scores`: "mcc", "accuracy", "f1_macro", and of a fit on all rows those of `probe` too. With few rows `folds`
        and `draws` have one value for each seed. `called` has the class that each fit calls each test row.

    Raises:
        ProbeError: The arrays cannot be scored, a class of the test part is missing in the training part, or memory is
            less than what is needed.
    """
    began = time.perf_counter()
    vectors = check_X(X)
    train, test = parts.rows("train"), parts.rows("test")
    classes = _check_classes(y, train, test, target=target)
    rows, tested = Rows.of(vectors, train), Rows.of(vectors, test)
    if shots is None:
        n_copied = len(train) + len(parts.rows("validation"))
        n_logits = 1 if len(classes) == 2 else len(classes)
        _check_memory(memory, rows, n_copied=n_copied, n_test=len(test), n_logits=n_logits, protocol=protocol)
    if shots is None and protocol == "scaled":
        made = _tuned(vectors, y, parts, classes, seed=seed)
    elif protocol == "scaled":
        made = _few_standardised(rows, y[train], shots or 0)
    else:
        fits = fit_stock(rows, y[train], shots=shots, engine=engine)
        made = fits, {"C": 1.0, "max_iter": MAX_ITER}, convergence(fits)
    fits, params, ended = made
    solved = time.perf_counter()
    raw = raw_values(tested, fits)
    called = np.full((len(fits), len(y)), UNSEEN, dtype=np.int64)
    called[:, test] = called_classes(raw, classes)
    scored = ProbeResult(
        scores={},
        labels={},
        n=len(y),
        dim=vectors.shape[1],
        engine=engine,
        protocol=protocol,
        seed=seed,
        params=params if shots is None else {**params, "draw_seeds": list(GENEB_SEEDS)},
        convergence=ended,
        values=_values(raw[0], test, classes, y) if shots is None else np.empty(0),
        split_of_row=parts.splits().split_of_row,
        called=called,
    )
    return replace(
        with_scores(scored, y, parts, target=target),
        seconds={"solve": solved - began, "score": time.perf_counter() - solved},
    )


def with_scores(scored: ProbeResult, y: npt.NDArray[Any], parts: Parts, *, target: str) -> ProbeResult:
    """The same fits scored on the test rows of these parts; others are forgotten.

    Args:
        scored: With `called` and, of a fit on all rows, `values`; of another head without `called`.
        y: Labels.
        parts: With the same training rows, and some of the test rows.
        target: "binary" or "multiclass".
    """
    test, splits = parts.rows("test"), parts.splits()
    if not scored.called.size:
        called = np.full((1, len(y)), UNSEEN, dtype=np.int64)
        values = scored.values[test]
        called[0, test] = (values > 0) if target == "binary" else np.unique(y)[values.argmax(axis=1)]
        scored = replace(scored, called=called)
    is_tested = splits.split_of_row >= 0
    kept = replace(scored, called=np.where(is_tested, scored.called, UNSEEN), split_of_row=splits.split_of_row)
    tables = tables_of(kept, y)
    hard = over_fits(tables)
    if not scored.values.size:
        return replace(kept, scores=hard, draws={name: score.folds for name, score in hard.items()})
    values = np.where(is_tested if scored.values.ndim == 1 else is_tested[:, None], scored.values, np.nan)
    truth = y.astype(bool) if target == "binary" else np.unique(y, return_inverse=True)[1]
    ranked, _ = score_splits(truth, values, splits, target=target, names=())
    return replace(kept, values=values, scores={**hard, **{name: s for name, s in ranked.items() if name not in hard}})


def tables_of(scored: ProbeResult, y: npt.NDArray[Any]) -> IntArray:
    """(F, K, K) confusion tables of the test rows."""
    tested = scored.split_of_row >= 0
    return confusion(y[tested].astype(np.int64), scored.called[:, tested], n_classes=int(y.max()) + 1)


def _tuned(
    X: Vectors, y: npt.NDArray[Any], parts: Parts, classes: IntArray, *, seed: int
) -> tuple[list[Fitted], dict[str, Any], dict[str, Any]]:
    """The scaled protocol on all training rows; rows for validation of a class that train lacks say nothing of C."""
    train, validation = parts.rows("train"), parts.rows("validation")
    number = np.searchsorted(classes, y)
    validation = validation[np.isin(y[validation], classes)]
    held = (Rows.of(X, validation), number[validation]) if len(validation) else None
    tuned = fit_scaled((Rows.of(X, train), number[train]), held, seed=seed)
    params = {"C": tuned.C, "C_chosen_on": tuned.chosen_on, "C_losses": {f"{C:g}": x for C, x in tuned.losses.items()}}
    return [tuned.fit], params, convergence([tuned.fit])


def _few_standardised(
    rows: Rows, y: npt.NDArray[Any], shots: int
) -> tuple[list[Fitted], dict[str, Any], dict[str, Any]]:
    """Fits on few rows, standardised by all of the training part, all draws as one problem."""
    by = Standardised.by(rows)
    number = np.unique(y, return_inverse=True)[1]
    draws = [draw_rows(y, shots=shots, seed=seed) for seed in GENEB_SEEDS]
    examples = np.stack([by.apply(rows.take(each)) for each in draws]).astype(np.float64)
    # A draw takes classes in sorted order and as many of each: the labels are the same in all.
    labels = number[draws[0]]
    is_binary = labels.max() == 1
    # See `logistic`: scikit-learn has one weight vector for two classes.
    weights, intercepts = logistic(examples, labels, C=FEW_C / 2 if is_binary else FEW_C)
    if is_binary:
        weights, intercepts = weights[..., 1:] - weights[..., :1], intercepts[:, 1:] - intercepts[:, :1]
    fits = []
    for weight, intercept in zip(weights, intercepts, strict=True):
        plain = weight.T / by.scale
        fits.append(Fitted(plain, intercept - plain @ by.mean, n_iter=0, is_converged=True, parameters=np.empty(0)))
    return fits, {"C": FEW_C, "is_standardised": True}, {"converged": True, "n_fits": len(fits)}


def _values(raw: Array, test: IntArray, classes: IntArray, y: npt.NDArray[Any]) -> Array:
    """What a result of the probe holds: log-odds (n,), or probabilities (n, K) of the classes of y."""
    if raw.shape[1] == 1:
        values = np.full(len(y), np.nan)
        values[test] = raw[:, 0]
        return values
    of_all = np.unique(y)
    values = np.full((len(y), len(of_all)), np.nan)
    values[test] = 0.0
    values[np.ix_(test, np.searchsorted(of_all, classes))] = scipy.special.softmax(raw, axis=1)
    return values


def _check_memory(
    memory: float | None, rows: Rows, *, n_copied: int, n_test: int, n_logits: int, protocol: str
) -> None:
    """Above the vectors there is one copy of those that are fitted, standardised; else copies of small parts only."""
    n_fitted, n_scored = (each if each * rows.dim < SMALL else 0 for each in (len(rows), n_test))
    # Rows to score are multiplied by weights in float64.
    copied = (n_copied if protocol == "scaled" else n_fitted) * rows.vectors.itemsize
    copied += n_scored * (rows.vectors.itemsize + 8)
    # Gram matrix, its product and its factor, and the rows that are multiplied at once, three times.
    curvature = rows.dim**2 * (2 * rows.vectors.itemsize + 16) + 3 * AT_ONCE * rows.dim * rows.vectors.itemsize
    curvature = curvature if protocol == "scaled" else 0
    # Logits and residuals.
    least = copied * rows.dim + 16 * len(rows) * n_logits + curvature + SLACK + PER_CORE * n_cores()
    if memory is not None and memory < least:
        msg = (
            f"{memory:,.0f} bytes of memory are too few: vectors of {len(rows):,} x {rows.dim:,} need at least"
            f" {math.ceil(least / 1e6)}M beside them with protocol {protocol}; allow that much, or leave memory out"
        )
        raise ProbeError(msg)


def _check_classes(y: npt.NDArray[Any], train: IntArray, test: IntArray, *, target: str) -> IntArray:
    if target not in ("binary", "multiclass"):
        msg = f"published parts are scored on classes, but the target is {target}; take another protocol"
        raise ProbeError(msg)
    classes = np.unique(y[train]).astype(np.int64)
    if len(classes) < 2:
        msg = f"train has {len(classes)} class; expected two or more"
        raise ProbeError(msg)
    if stray := sorted(set(np.unique(y[test]).tolist()) - set(classes.tolist())):
        msg = f"class {stray[0]} of test is missing in train"
        raise ProbeError(msg)
    return classes
