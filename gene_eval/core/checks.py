"""Input checks of the probe: arrays of the agreed kind and shape out, or one line that says what is wrong."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError, UnknownNameError
from gene_eval.core.pairs import PairedRows
from gene_eval.core.table import TableRows, Vectors

__all__ = ["TARGETS", "check_X", "check_folds", "check_label_names", "check_positive", "check_y"]

TARGETS: Final = ("binary", "multiclass", "multilabel", "regression")
CHECKED_AT_ONCE: Final = 1 << 20
"""How many numbers are tested for finiteness at a time."""


def check_X(X: npt.ArrayLike | PairedRows | TableRows) -> Vectors:
    """X as (n, d) finite float32 or float64, or rows, or pairs of rows, of such tables."""
    if isinstance(X, TableRows):
        _check_shape(X.shape)
        _check_finite(X.table.vectors, X.index)
        return X
    if isinstance(X, PairedRows):
        left = check_table(X.left)
        right = left if X.right is X.left else check_table(X.right)
        return PairedRows(left, X.left_index, right, X.right_index, X.mode)
    return check_table(X)


def check_table(X: npt.ArrayLike) -> npt.NDArray[np.floating[Any]]:
    """An array as (n, d) finite float32 or float64."""
    array = _numeric(X, "X")
    _check_shape(array.shape)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    _check_finite(array)
    return array


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 2:
        msg = f"X must be 2-D (rows, features), but has shape {shape}"
        raise ProbeError(msg)
    if 0 in shape:
        msg = f"X is empty: shape {shape}; give at least one row and one feature"
        raise ProbeError(msg)


def _check_finite(table: npt.NDArray[np.floating[Any]], index: npt.NDArray[np.integer[Any]] | None = None) -> None:
    """Refuse rows of a table that are not finite, a few at a time: copies and masks of all would take its memory."""
    n = len(table) if index is None else len(index)
    step = max(1, CHECKED_AT_ONCE // table.shape[1])
    bad: list[int] = []
    for low in range(0, n, step):
        part = table[low : low + step] if index is None else table[index[low : low + step]]
        finite = np.isfinite(part)
        if not finite.all():
            bad += (low + np.flatnonzero(~finite.all(axis=1))).tolist()
    if bad:
        msg = f"X has NaN or infinite values in {len(bad)} of {n} rows (first: row {bad[0]}); leave them out"
        raise ProbeError(msg)


def check_y(y: npt.ArrayLike, *, target: str, n: int) -> npt.NDArray[Any]:
    """The labels of n rows as an engine takes them: bool, classes renumbered 0..K-1, or float64."""
    if target not in TARGETS:
        raise UnknownNameError(target, kind="target", known=TARGETS)
    array = _numeric(y, "y")
    ndim = 2 if target == "multilabel" else 1
    if array.ndim != ndim:
        shape = "(rows, labels)" if ndim == 2 else "(rows,)"
        msg = f"y must have shape {shape} for target {target!r}, but has shape {array.shape}"
        raise ProbeError(msg)
    if len(array) != n:
        msg = f"X has {n} rows, but y has {len(array)}"
        raise ProbeError(msg)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array.reshape(n, -1)).all(axis=1))
        msg = f"y has NaN or infinite values in {len(bad)} of {n} rows (first: row {bad[0]}); leave them out"
        raise ProbeError(msg)
    if array.size == 0 or (array == array[0]).all():
        what = "every label of y" if ndim == 2 else "y"
        msg = f"constant labels: {what} has the same value in all {n} rows, so there is nothing to predict"
        raise ProbeError(msg)
    if target == "regression":
        return array.astype(np.float64)
    if target == "multiclass":
        return np.unique(_whole(array, "classes in y"), return_inverse=True)[1].astype(np.int64)
    return _zero_one(array, target)


def check_folds(folds: npt.ArrayLike, *, n: int) -> npt.NDArray[np.int64]:
    """Fold numbers of n rows, renumbered 0..F-1 in the order of the given numbers."""
    array = _whole(_numeric(folds, "folds"), "folds")
    if array.shape != (n,):
        msg = f"folds must have one number for each of the {n} rows of X, but has shape {array.shape}"
        raise ProbeError(msg)
    numbers, renumbered = np.unique(array, return_inverse=True)
    if len(numbers) < 2:
        msg = f"folds has only one fold ({numbers[0]}); at least two are needed, one to train on and one to test on"
        raise ProbeError(msg)
    return renumbered.astype(np.int64)


def check_label_names(label_names: Sequence[str] | None, *, target: str, n_labels: int) -> tuple[str, ...]:
    """One distinct name per label column of a multi-label task; the column number where none are given."""
    if label_names is None:
        return tuple(str(column) for column in range(n_labels))
    if target != "multilabel":
        msg = f"label_names are for target 'multilabel', but target is {target!r}"
        raise ProbeError(msg)
    if len(label_names) != n_labels:
        msg = f"y has {n_labels} labels, but label_names has {len(label_names)}"
        raise ProbeError(msg)
    if len(set(label_names)) != n_labels:
        repeated = next(name for name in label_names if list(label_names).count(name) > 1)
        msg = f"label_names must differ, but {repeated!r} occurs more than once"
        raise ProbeError(msg)
    return tuple(label_names)


def check_positive(name: str, value: float | None) -> None:
    """An option that must be a positive finite number, or None."""
    if value is None:
        return
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value <= 0:
        msg = f"{name} must be a positive number, got {value!r}"
        raise ProbeError(msg)


def _numeric(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        msg = f"{name} is ragged: its rows differ in length; give as many numbers in each"
        raise ProbeError(msg) from error
    if array.dtype.kind not in "biuf":
        msg = f"{name} must be a dense array of numbers, but has dtype {array.dtype}; convert it first"
        raise ProbeError(msg)
    return array


def _whole(array: npt.NDArray[Any], what: str) -> npt.NDArray[Any]:
    if array.dtype.kind == "f":
        broken = array[array != np.floor(array)]
        if broken.size:
            msg = f"{what} must be whole numbers, got {broken[0]:g}"
            raise ProbeError(msg)
    return array.astype(np.int64)


def _zero_one(array: npt.NDArray[Any], target: str) -> npt.NDArray[np.bool_]:
    if not ((array == 0) | (array == 1)).all():
        values = np.unique(array)
        shown = ", ".join(f"{value:g}" for value in values[:5]) + (", ..." if len(values) > 5 else "")
        msg = f"labels of target {target!r} must be 0 or 1 (1 is positive), got {shown}"
        raise ProbeError(msg)
    return array.astype(np.bool_)
