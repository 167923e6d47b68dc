"""The head "centroid": which class has its mean nearest.

With q_k half the squared distance of a row to the mean of class k, divided by the number of features, the value of a
label is q_0 - q_1 and a class has probability softmax(-q). The division changes no order within a label; it keeps
probabilities of many features apart from 0 and 1.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.special

from gene_eval.core.engines import HeldOut, Params
from gene_eval.core.errors import ProbeError
from gene_eval.core.heads.parts import empty_values, is_scaled, parts
from gene_eval.core.splits import Splits
from gene_eval.core.table import Vectors

Array = npt.NDArray[np.float64]


def held_out(X: Vectors, y: npt.NDArray[Any], *, target: str, splits: Splits, params: Params) -> HeldOut:
    """Class means of every split's training rows; see `engines.Engine` for the arrays.

    Raises:
        ProbeError: A regression task, which has no classes.
    """
    if target == "regression":
        msg = "head 'centroid' needs classes, but the target is regression; choose linear, ridge, mlp or knn"
        raise ProbeError(msg)
    values = empty_values(y, target)
    for part in parts(X, splits, params):
        labels = y[part.train].reshape(int(part.train.sum()), -1)
        if target == "multiclass":
            classes = np.unique(labels)
            means = np.stack([part.X_train[labels[:, 0] == each].mean(axis=0, dtype=np.float64) for each in classes])
            values[np.ix_(part.test, classes)] = scipy.special.softmax(closeness(part.X_test, means), axis=1)
            continue
        for column, label in enumerate(labels.T.astype(bool)):
            if 0 < label.sum() < len(label):
                means = np.stack([part.X_train[label == each].mean(axis=0, dtype=np.float64) for each in (False, True)])
                near = closeness(part.X_test, means)
                values.reshape(len(y), -1)[part.test, column] = near[:, 1] - near[:, 0]
    return HeldOut(values, params={"is_standardised": is_scaled(params)})


def closeness(rows: npt.NDArray[np.floating[Any]], means: Array) -> Array:
    """(m, K) minus half the squared distance to each mean, per feature, up to a number of the row."""
    return np.asarray((rows @ means.T - (means**2).sum(axis=1) / 2) / means.shape[1])
