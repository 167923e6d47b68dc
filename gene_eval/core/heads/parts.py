"""What the heads share: the rows of every split, standardised where the protocol says so, and scores as log-odds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler

from gene_eval.core.engines import Params
from gene_eval.core.splits import Splits
from gene_eval.core.table import Vectors, as_array

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """One split: its number, (n,) masks of training and scored rows, and the vectors of both."""

    split: int
    train: npt.NDArray[np.bool_]
    test: npt.NDArray[np.bool_]
    X_train: npt.NDArray[np.floating[Any]]
    X_test: npt.NDArray[np.floating[Any]]


def parts(X: Vectors, splits: Splits, params: Params) -> Iterator[Part]:
    """The splits one by one; under protocol "scaled" features are standardised by the training rows."""
    rows = as_array(X)
    for split in range(len(splits)):
        train, test = splits.train_rows(split), splits.test_rows(split)
        X_train, X_test = rows[train], rows[test]
        if is_scaled(params):
            scaler = StandardScaler().fit(X_train)
            X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
        yield Part(split, train, test, X_train, X_test)


def is_scaled(params: Params) -> bool:
    """Whether features are standardised."""
    return params.protocol == "scaled"


def is_constant(y: npt.NDArray[Any]) -> bool:
    """Whether all rows of the labels are equal, so that there is nothing to fit."""
    return bool((y == y[:1]).all())


def empty_values(y: npt.NDArray[Any], target: str) -> Array:
    """Zeros in the form of `engines.HeldOut.values`."""
    return np.zeros((len(y), y.max() + 1) if target == "multiclass" else y.shape)
