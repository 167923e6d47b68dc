"""Folds for labels that come without: scikit-learn's shuffled K-fold, stratified where classes exist."""

import warnings
from typing import Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.checks import check_y
from gene_eval.core.errors import ProbeError

__all__ = ["default_folds"]

N_FOLDS: Final = 5


def default_folds(y: npt.ArrayLike, *, target: str, seed: int = 0) -> npt.NDArray[np.int64]:
    """(n,) fold numbers 0..4 for the labels y, stratified for binary and multiclass, plain for the other targets.

    The folds of a published task come with it; these are for a user's own arrays.

    Raises:
        ProbeError: Labels that do not fit the target, or fewer rows than folds.

    >>> default_folds([0.5, 1, 2, 3, 4, 5], target="regression").tolist()
    [3, 1, 0, 2, 4, 0]
    """
    n = np.shape(y)[0]
    labels = check_y(y, target=target, n=n)
    if n < N_FOLDS:
        msg = f"{n} rows are fewer than the {N_FOLDS} folds; give more rows, or your own folds"
        raise ProbeError(msg)
    stratified = target in ("binary", "multiclass")
    if stratified and np.bincount(labels.astype(np.int64)).max() < N_FOLDS:
        msg = f"no class has {N_FOLDS} rows, so {N_FOLDS} stratified folds cannot be made; give your own folds"
        raise ProbeError(msg)
    # Here, so that reading METRICS for a report does not load scikit-learn.
    from sklearn.model_selection import KFold, StratifiedKFold

    splitter = (StratifiedKFold if stratified else KFold)(N_FOLDS, shuffle=True, random_state=seed)
    folds = np.empty(n, dtype=np.int64)
    with warnings.catch_warnings():
        # A class with fewer rows than folds is absent from some of them, which the probe counts as undefined.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for fold, (_, test) in enumerate(splitter.split(np.empty((n, 1)), labels)):
            folds[test] = fold
    return folds
