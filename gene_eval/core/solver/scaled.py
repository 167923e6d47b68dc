"""The scaled protocol on the fast engine: one basis, all inner and outer training sets, along a path of C.

See `heads.scaled` for the protocol; how a training set's own standardisation becomes its penalty says
`objectives.Penalty`.
C goes up the grid, each solve starting from the last one's weights; a problem whose inner loss has grown twice in a row
for every split leaves the path. Where the features outnumber the rows, that penalty leads out of the span of the rows,
and the features stay as they are, without a rotation.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.special
import torch
from torch import Tensor

from gene_eval.core.engines import Params
from gene_eval.core.heads.scaled import GRID, TrainingSets, held_out_reference, standard_deviations
from gene_eval.core.solver.objectives import Classes, Fits, Labels, Penalty, Target
from gene_eval.core.solver.problem import Array, Task, present_classes
from gene_eval.core.solver.stages import solve
from gene_eval.core.splits import Splits

INNER_TOL: Final = 1e-3
"""Logits of inner fits are only compared by their losses."""
STALL_LIMIT: Final = 2
"""Steps up the path after the best one."""


class Path:
    """One design matrix, its training sets, and the solves along the path."""

    def __init__(
        self, X: npt.NDArray[Any], y: npt.NDArray[Any], target: str, sets: TrainingSets, params: Params
    ) -> None:
        """Standardise by all rows and rotate once."""
        spread = X.std(axis=0, dtype=np.float64)
        unit = np.where(spread > 0, spread, 1.0)
        _, scales = standard_deviations(X, sets)
        largest = replace(params, C=max(GRID))
        self.task = Task.prepare((X / unit).astype(X.dtype), sets.blocks, sets.train.shape[1], largest, full=True)
        rows = self.task.rows
        self.target: Target = (
            Classes(rows, self.task.one_hot(y)) if target == "multiclass" else Labels(rows, self.task.labels(y))
        )
        device = self.task.device
        squares = torch.as_tensor((scales / unit) ** 2, device=device)
        self.squares = torch.nn.functional.pad(squares, (0, 1))
        self.trains = torch.as_tensor(sets.train.T, device=device)
        self.chooses = torch.as_tensor(sets.chooses.T, device=device)
        self.learnable = self.target.learnable(self.trains)
        self.n_splits = sets.n_splits

    def solve(self, start: Tensor | None, sets: Tensor, column: Tensor, C: float, tol: float) -> tuple[Tensor, Tensor]:
        """Weights of full-data fits (P, v) and split fits (K, v) of the problems `column` on the training sets."""
        penalty = Penalty(self.squares / C, self.task.basis, sets)
        fits = Fits(self.target, column, self.trains[:, sets], penalty)
        plain = Penalty.plain(C, self.task.rows.mean_square)
        common, solved = solve(fits, plain, self.trains.any(1), start=start, tol=tol, limit=self.task.max_iter)
        if tol <= self.task.converged_at:
            self.task.solutions.append(solved)
        return common, solved.weights

    def logits(self, weights: Tensor, block: int) -> Tensor:
        """(K * n_outputs, rows of the block)."""
        rows = self.task.rows
        wide = self.target.outputs(weights.to(rows.mean_square))
        return rows.logits(rows.project(wide), rows.starts[block], rows.starts[block + 1])

    def inner_losses(self) -> Tensor:
        """(grid, S, L) summed losses over inner test rows; infinite where the path was left."""
        inner = torch.arange(self.n_splits, self.trains.shape[1], device=self.task.device)
        left = torch.arange(self.target.n_problems, device=self.task.device)
        out = torch.full((len(GRID), self.n_splits, self.target.n_problems), torch.inf, dtype=torch.float64)
        start: Tensor | None = None
        starts_of = left
        for step, C in enumerate(GRID):
            which, position = self.learnable[inner][:, left].nonzero(as_tuple=True)
            if not len(which):
                break
            sets, column = inner[which], left[position]
            solved = torch.unique(column)
            if start is not None:
                start = start[torch.isin(starts_of, solved)]
            start, weights = self.solve(start, sets, column, C, INNER_TOL)
            starts_of = solved
            out[step][:, solved.cpu()] = 0
            self._add_losses(out[step], weights, sets, column)
            if step >= STALL_LIMIT:
                best = out[: step + 1].argmin(0)
                left = left[(best > step - STALL_LIMIT).any(0).to(left.device)[left]]
        return out

    def _add_losses(self, out: Tensor, weights: Tensor, sets: Tensor, column: Tensor) -> None:
        """Add the losses of each inner fit on its test rows to the splits whose C they choose."""
        starts = self.task.rows.starts
        for block, chooses in enumerate(self.chooses):
            tested = chooses[sets] >= 0
            if not bool(tested.any()):
                continue
            low, high = starts[block], starts[block + 1]
            losses = self.target.loss(self.logits(weights[tested], block), low, high, column[tested])
            for loss, split, problem in zip(
                losses.tolist(), chooses[sets[tested]].tolist(), column[tested].tolist(), strict=True
            ):
                out[split, problem] += loss

    def outer(self, chosen: npt.NDArray[np.int64]) -> Tensor:
        """(S, L * n_outputs, width) weights of the logits with the (S, L) chosen numbers on the grid."""
        rows = self.task.rows
        shape = self.n_splits, self.target.n_problems, self.target.n_outputs, rows.width
        weights = torch.zeros(shape, dtype=torch.float64, device=self.task.device)
        picked = torch.as_tensor(chosen, device=self.task.device)
        for position in np.unique(chosen):
            fold, column = ((picked == position) & self.learnable[: self.n_splits]).nonzero(as_tuple=True)
            if len(fold):
                _, split_fits = self.solve(None, fold, column, GRID[position], self.task.tol)
                weights[fold, column] = self.target.outputs(split_fits.double()).reshape(-1, *shape[2:])
        return weights.flatten(1, 2)


def held_out_scaled(  # noqa: PLR0913 - an engine's arguments and its training sets
    X: npt.NDArray[Any], y: npt.NDArray[Any], *, target: str, splits: Splits, sets: TrainingSets, params: Params
) -> tuple[Array, Array, Path | None]:
    """Held-out values as `engines.HeldOut`, the chosen C (S, L), and the path, None where there was nothing to solve.

    A multi-class split with only two classes to train on is a logistic regression there; such tasks are small, and
    scikit-learn fits them.
    """
    if target == "multiclass":
        present = present_classes(y, sets.blocks, sets.train)
        if (present.sum(axis=1) < 3).any():
            values, chosen = held_out_reference(
                X.astype(np.float64), y, target=target, splits=splits, seed=params.seed, tol=1e-8, max_iter=10_000
            )
            return values, chosen, None
    columns = y if target == "multiclass" else y.reshape(len(y), -1)
    path = Path(X, columns, target, sets, params)
    losses = path.inner_losses()
    positions = losses.argmin(0).numpy()
    logits = path.task.predict(path.outer(positions), _test_blocks(splits, sets))
    chosen = np.where(path.learnable[: path.n_splits].cpu().numpy(), np.array(GRID)[positions], np.nan)
    if target != "multiclass":
        return logits.reshape(y.shape), chosen, path
    logits[~present[splits.split_of_row]] = -np.inf
    return np.asarray(scipy.special.softmax(logits, axis=1)), chosen, path


def _test_blocks(splits: Splits, sets: TrainingSets) -> npt.NDArray[np.bool_]:
    """(S, B) the blocks of the training sets, which are the splits' or finer, that each split scores."""
    out = np.zeros((sets.n_splits, sets.train.shape[1]), dtype=bool)
    tested = splits.split_of_row >= 0
    out[splits.split_of_row[tested], sets.blocks[tested]] = True
    return out
