"""The scaled protocol: standardised features, and the penalty chosen inside the training rows.

For each split s the other splits t take turns as inner test rows: of what s trains on, the inner fit has what t trains
on too, and its loss counts on what t scores. On every inner training set features are standardised by its own mean and
standard deviation and the model is fitted for every C of `GRID`; C is the one with the least summed log loss (squared
error for ridge regression, whose alpha is 1 / C) over the inner test rows, the smallest on a tie. The model for s is
then fitted with that C on all training rows, standardised anew. In cross-validation on F folds the inner sets lack two
folds each, and leaving out f and g is the same as leaving out g and f: there are F (F - 1) / 2. A single split, such as
published training and test rows, takes its inner test rows from `default_folds` of its training rows.

This module is what engines share; `held_out_reference` is the protocol written with scikit-learn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gene_eval.core.errors import ProbeError
from gene_eval.core.splits import N_FOLDS, Splits, default_folds

Array = npt.NDArray[np.float64]

GRID: Final = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True, eq=False)
class TrainingSets:
    """What the scaled protocol trains on: the training rows of the S splits, then those of the inner fits.

    Attributes:
        blocks: (n,) block of each row; those of the splits, or finer.
        train: (T, B) whether the set has the block.
        chooses: (T, B) the split whose C is chosen by the loss of that fit on that block; -1 for none.
        n_splits: S.
    """

    blocks: npt.NDArray[np.int64]
    train: npt.NDArray[np.bool_]
    chooses: npt.NDArray[np.int64]
    n_splits: int

    def train_rows(self, number: int) -> npt.NDArray[np.bool_]:
        """(n,) whether the row is in the set."""
        chosen: npt.NDArray[np.bool_] = self.train[number][self.blocks]
        return chosen

    def inner(self, split: int | None = None) -> list[tuple[int, int, npt.NDArray[np.bool_]]]:
        """(set, split, (n,) inner test rows): the inner fits whose loss there chooses a C, or that of one split."""
        return [
            (number, each, (self.chooses[number] == each)[self.blocks])
            for number in range(self.n_splits, len(self.train))
            for each in np.unique(self.chooses[number][self.chooses[number] >= 0]).tolist()
            if split in (None, each)
        ]


def training_sets(splits: Splits, y: npt.NDArray[Any], *, target: str, seed: int) -> TrainingSets:
    """The training rows of every split and of the inner fits that choose its C.

    Raises:
        ProbeError: Two folds, or splits that share no training rows, leave nothing to choose C on.
    """
    if len(splits) == 1:
        return _inside_one(splits, y, target=target, seed=seed)
    filled = splits.block_sizes > 0
    train, chooses = list(splits.train), [np.full(len(filled), -1)] * len(splits)
    for s, t in combinations(range(len(splits)), 2):
        inner = np.full(len(filled), -1)
        inner[splits.train[s] & splits.test[t] & filled] = s
        inner[splits.train[t] & splits.test[s] & filled] = t
        both = splits.train[s] & splits.train[t]
        if (inner >= 0).any() and (both & filled).any():
            train.append(both)
            chooses.append(inner)
    without = set(range(len(splits))) - set(np.concatenate(chooses).tolist())
    if without and len(splits) == 2:
        msg = "what is chosen on the other folds (protocol 'scaled', head 'ridge') needs at least 3 folds, got 2"
        raise ProbeError(msg)
    if without:
        msg = f"there are no rows to choose C on: split {min(without)} trains on no rows that others score"
        raise ProbeError(msg)
    return TrainingSets(splits.blocks, np.stack(train), np.stack(chooses), len(splits))


def _inside_one(splits: Splits, y: npt.NDArray[Any], *, target: str, seed: int) -> TrainingSets:
    """A single split: rows are in block 0 to F - 1 by inner fold, F where they do not train."""
    rows = splits.train_rows(0)
    blocks = np.full(len(rows), N_FOLDS)
    labels = y[rows]
    chooses = np.full((1 + N_FOLDS, 1 + N_FOLDS), -1)
    train = np.zeros(chooses.shape, dtype=bool)
    train[:, :-1] = True
    # Labels that are all constant have no fit, whatever C; their inner folds are of no account.
    plain = (labels == labels[0]).all()
    blocks[rows] = np.arange(len(labels)) % N_FOLDS if plain else default_folds(labels, target=target, seed=seed)
    inner = np.arange(N_FOLDS)
    train[1 + inner, inner] = False
    chooses[1 + inner, inner] = 0
    return TrainingSets(blocks, train, chooses, 1)


def standard_deviations(X: npt.NDArray[np.floating[Any]], sets: TrainingSets) -> tuple[Array, Array]:
    """(T, d) means and standard deviations of the training sets; 1 for a constant feature, by scikit-learn's rule."""
    scalers = [StandardScaler().fit(X[sets.train_rows(number)].astype(np.float64)) for number in range(len(sets.train))]
    return np.stack([s.mean_ for s in scalers]), np.stack([s.scale_ for s in scalers])


def chosen_settings(chosen: Array) -> dict[str, Any]:
    """What results record of the chosen C, (S, L): the grid, and how often each C was taken."""
    counts = {f"{C:g}": int((chosen == C).sum()) for C in GRID}
    return {"C_grid": list(GRID), "C_chosen": {C: count for C, count in counts.items() if count}}


def held_out_reference(  # noqa: PLR0913 - an engine's arguments and when to stop
    X: Array, y: npt.NDArray[Any], *, target: str, splits: Splits, seed: int, tol: float, max_iter: int
) -> tuple[Array, Array]:
    """Held-out values as `engines.HeldOut`, and the chosen C, (S, L)."""
    sets = training_sets(splits, y, target=target, seed=seed)
    columns = y.reshape(len(y), -1)
    shape = (len(y), y.max() + 1) if target == "multiclass" else columns.shape
    values, chosen = np.zeros(shape), np.full((len(splits), columns.shape[1]), np.nan)

    def fit(rows: npt.NDArray[np.bool_], j: int, C: float) -> Callable[[Array], Array]:
        return _fitted(X[rows], columns[rows, j], C, target, shape[1], tol=tol, max_iter=max_iter)

    for split in range(len(splits)):
        train, test = splits.train_rows(split), splits.test_rows(split)
        inner = [(sets.train_rows(number), rows) for number, _, rows in sets.inner(split)]
        for j in range(columns.shape[1]):
            if target != "regression" and np.ptp(columns[train, j].astype(int)) == 0:
                continue
            learnable = [
                (fitted, rows)
                for fitted, rows in inner
                if target == "regression" or np.ptp(columns[fitted, j].astype(int))
            ]
            losses = [
                sum(_loss(columns[rows, j], fit(fitted, j, C)(X[rows]), target) for fitted, rows in learnable)
                for C in GRID
            ]
            chosen[split, j] = GRID[int(np.argmin(losses))]
            into = slice(None) if target == "multiclass" else slice(j, j + 1)
            values[test, into] = fit(train, j, chosen[split, j])(X[test])
    if target == "multiclass":
        values = np.exp(values - np.logaddexp.reduce(values, axis=1, keepdims=True))
    return values.reshape(shape if target == "multiclass" else y.shape), chosen


def _fitted(  # noqa: PLR0913 - one fit
    X: Array, y: npt.NDArray[Any], C: float, target: str, width: int, *, tol: float, max_iter: int
) -> Callable[[Array], Array]:
    """A function to (n, 1) decision values or predictions, or (n, C) log probabilities."""
    if target == "regression":
        ridge = make_pipeline(StandardScaler(), Ridge(alpha=1 / C)).fit(X, y)
        return lambda rows: ridge.predict(rows)[:, None]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=C, tol=tol, max_iter=max_iter)).fit(X, y)
    if target != "multiclass":
        return lambda rows: model.decision_function(rows)[:, None]

    def log_probabilities(rows: Array) -> Array:
        out = np.full((len(rows), width), -100.0)
        out[:, model.classes_] = np.maximum(model.predict_log_proba(rows), -100)
        return out

    return log_probabilities


def _loss(y: npt.NDArray[Any], predicted: Array, target: str) -> float:
    if target == "regression":
        return float(((y - predicted[:, 0]) ** 2).sum())
    if target == "multiclass":
        return float(-predicted[np.arange(len(y)), y].sum())
    return float((np.logaddexp(0, predicted[:, 0]) - y * predicted[:, 0]).sum())
