"""Which rows train and which are scored: splits made of blocks of rows, the folds of cross-validation among them."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.checks import check_folds, check_y
from gene_eval.core.errors import ProbeError

__all__ = ["Splits", "default_folds"]

N_FOLDS: Final = 5


@dataclass(frozen=True, eq=False)
class Splits:
    """S splits of n rows into rows to train on, rows to score and rows that the split does not use.

    Rows that every split treats alike make a block, so that engines can reuse sums over blocks. Cross-validation is the
    simplest case: block f holds the rows of fold f, and split f scores it and trains on all others.

    Attributes:
        blocks: (n,) block number 0..B-1 of each row; a block may have no rows.
        train: (S, B) whether the split trains on the block.
        test: (S, B) whether the split scores the block. No block is scored by two splits.

    Raises:
        ProbeError: Shapes or numbers do not fit; a split has nothing to train on or to score, trains on rows it scores,
            or scores rows that another split scores.

    >>> splits = Splits.from_folds([0, 1, 1, 2])
    >>> splits.train_rows(1).tolist(), splits.split_of_row.tolist()
    ([True, False, False, True], [0, 1, 1, 2])
    """

    blocks: npt.NDArray[np.int64]
    train: npt.NDArray[np.bool_]
    test: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Refuse blocks that do not make splits."""
        if self.blocks.ndim != 1 or self.train.ndim != 2 or self.train.shape != self.test.shape:
            msg = (
                "splits need blocks (rows,) and train and test (splits, blocks), "
                f"but have shapes {self.blocks.shape}, {self.train.shape} and {self.test.shape}"
            )
            raise ProbeError(msg)
        n_blocks = self.train.shape[1]
        if len(self.blocks) and not 0 <= self.blocks.min() <= self.blocks.max() < n_blocks:
            msg = f"block numbers must be 0..{n_blocks - 1}, got {self.blocks.min()}..{self.blocks.max()}"
            raise ProbeError(msg)
        if len(self.train) == 0:
            msg = "splits has no split; at least one is needed"
            raise ProbeError(msg)
        self._check_overlap()

    def _check_overlap(self) -> None:
        filled = self.block_sizes > 0
        for split, (train, test) in enumerate(zip(self.train & filled, self.test & filled, strict=True)):
            for what, blocks in (("train on", train), ("score", test)):
                if not blocks.any():
                    msg = f"split {split} has no rows to {what}; leave the split out"
                    raise ProbeError(msg)
            if (both := train & test).any():
                n = int(self.block_sizes[both].sum())
                msg = f"split {split} trains on {n} of the rows that it scores; no row can be in both"
                raise ProbeError(msg)
        repeated = (self.test & filled).sum(axis=0) > 1
        if repeated.any():
            one, two = np.flatnonzero(self.test[:, repeated.argmax()])[:2]
            msg = f"splits {one} and {two} score the same rows; a row can be scored once"
            raise ProbeError(msg)

    @classmethod
    def from_folds(cls, folds: npt.ArrayLike) -> "Splits":
        """Cross-validation on (n,) fold numbers: each distinct number is held out once, in ascending order."""
        blocks = check_folds(folds, n=len(np.asarray(folds)))
        test = np.eye(blocks.max() + 1, dtype=bool)
        return cls(blocks, ~test, test)

    @classmethod
    def from_blocks(cls, numbers: npt.ArrayLike) -> "Splits":
        """Splits that hold out whole blocks, even where a row belongs to several: pairs of genes, each in a block.

        Split k scores the rows whose numbers are all k, and trains on those with no number k. So neither gene of a
        scored pair is in training, and a pair across two blocks trains only the splits of other blocks. A row with a
        negative number is in no split.

        Args:
            numbers: (n,) or (n, m) block numbers. Each that is the only number of some row makes a split, in ascending
                order.

        Raises:
            ProbeError: No row has all its numbers in one block, or a split has nothing to train on.

        >>> splits = Splits.from_blocks([[0, 0], [0, 1], [1, 1], [2, 2], [1, 2]])
        >>> splits.split_of_row.tolist(), splits.train_rows(0).tolist()
        ([0, -1, 1, 2, -1], [False, False, True, True, True])
        """
        table = np.asarray(numbers)
        table = np.sort(table.reshape(len(table), -1), axis=1)
        kinds, blocks = np.unique(table, axis=0, return_inverse=True)
        used = (kinds >= 0).all(axis=1)
        held_out = np.unique(kinds[used & (kinds == kinds[:, :1]).all(axis=1), 0])
        is_in = kinds == held_out[:, np.newaxis, np.newaxis]
        return cls(blocks.reshape(-1).astype(np.int64), used & ~is_in.any(axis=2), is_in.all(axis=2))

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]], *, n: int) -> "Splits":
        """Splits of n rows from the (training rows, scored rows) of each, as boolean masks or row numbers.

        >>> Splits.from_rows([([0, 1], [3])], n=4).split_of_row.tolist()
        [-1, -1, -1, 0]
        """
        member = np.zeros((n, 2, len(rows)), dtype=bool)
        for split, parts in enumerate(rows):
            for part, chosen in enumerate(parts):
                member[np.asarray(chosen), part, split] = True
        kinds, blocks = np.unique(member.reshape(n, -1), axis=0, return_inverse=True)
        train, test = kinds.reshape(-1, 2, len(rows)).transpose(1, 2, 0)
        return cls(blocks.reshape(-1).astype(np.int64), train, test)

    def __len__(self) -> int:
        """Number of splits."""
        return len(self.train)

    @cached_property
    def block_sizes(self) -> npt.NDArray[np.int64]:
        """(B,) rows of each block."""
        return np.bincount(self.blocks, minlength=self.train.shape[1])

    @cached_property
    def split_of_row(self) -> npt.NDArray[np.int64]:
        """(n,) the split that scores the row, -1 where none does."""
        scored = np.where(self.test.any(axis=0), self.test.argmax(axis=0), -1)
        return scored[self.blocks]

    def train_rows(self, split: int) -> npt.NDArray[np.bool_]:
        """(n,) whether the split trains on the row."""
        chosen: npt.NDArray[np.bool_] = self.train[split][self.blocks]
        return chosen

    def test_rows(self, split: int) -> npt.NDArray[np.bool_]:
        """(n,) whether the split scores the row."""
        chosen: npt.NDArray[np.bool_] = self.test[split][self.blocks]
        return chosen

    @cached_property
    def test_train_ratio(self) -> float:
        """Scored over training rows, the mean over splits: the variance of scores on shared rows depends on it."""
        tested, trained = (part @ self.block_sizes for part in (self.test, self.train))
        return float(np.mean(tested / trained))

    def take(self, rows: npt.NDArray[Any]) -> "Splits":
        """The same splits of some of the rows, as a mask or row numbers.

        Raises:
            ProbeError: A split is left without rows to train on or to score.
        """
        return Splits(self.blocks[rows], self.train, self.test)


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
    # Imported here, so that a report that reads METRICS does not load scikit-learn.
    from sklearn.model_selection import KFold, StratifiedKFold

    splitter = (StratifiedKFold if stratified else KFold)(N_FOLDS, shuffle=True, random_state=seed)
    folds = np.empty(n, dtype=np.int64)
    with warnings.catch_warnings():
        # A class with fewer rows than folds is absent from some of them, which the probe counts as undefined.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for fold, (_, test) in enumerate(splitter.split(np.empty((n, 1)), labels)):
            folds[test] = fold
    return folds
