"""One design matrix in solver coordinates, and how the fits on it ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gene_eval.core.engines import Params
from gene_eval.core.errors import ProbeError
from gene_eval.core.pairs import PairedRows
from gene_eval.core.solver.eigenbasis import Rotation, as_tensor, fit_rotation
from gene_eval.core.solver.lbfgs import Solution
from gene_eval.core.solver.low_precision import RoundedRows, supports_bfloat16
from gene_eval.core.solver.objectives import Fits, Penalty, Target
from gene_eval.core.solver.pair_rows import PairRows, pays_as_pairs, rotate_pairs
from gene_eval.core.solver.resources import SHARE, all_cores, free_memory, problems_per_block, run
from gene_eval.core.solver.rows import Rows
from gene_eval.core.solver.stages import solve
from gene_eval.core.table import TableRows, Vectors, VectorTable, as_array

TOL: Final = 1e-5
SMALL: Final = 1 << 17
"""Elements of rows up to which a solve takes no time: it is in float64 and goes on to `TOL_SMALL`, since in a test
fold of ten rows a metric can hang on the last digits of one logit."""
TOL_SMALL: Final = 1e-8
MEDIUM: Final = 1 << 20
"""Elements up to which one row on the wrong side of a threshold moves a score by about 1e-3: on to `TOL_MEDIUM`."""
TOL_MEDIUM: Final = 1e-6
MAX_ITER: Final = 500

Array = npt.NDArray[np.float64]
Blocks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """One design matrix in solver coordinates, and the record of what was solved on it.

    Attributes:
        rows: The rows, sorted by block.
        order: (n,) their positions in the caller's arrays.
        params: How to fit.
        basis: (d, r) the rotation of the features, None where there is none.
        unit: What the vectors were divided by.
        solutions: How the fits ended.
    """

    rows: Rows
    order: npt.NDArray[np.int64]
    params: Params
    basis: Tensor | None = None
    unit: float = 1.0
    solutions: list[Solution] = field(default_factory=list)

    @classmethod
    def prepare(cls, X: Vectors, blocks: Blocks, n_blocks: int, params: Params, *, full: bool = False) -> "Task":
        """The rows of X in solver coordinates; `full`: all d of them, also where the rows span less."""
        order = np.argsort(blocks, kind="stable")
        starts = [0, *np.cumsum(np.bincount(blocks, minlength=n_blocks)).tolist()]
        device = choose_device(params.device)
        if isinstance(X, PairedRows) and pays_as_pairs(X):
            pair_rows, unit = _pair_rows(X.take(order).compact(), starts, device, params)
            return cls(pair_rows, order, params, unit=unit)
        if isinstance(X, TableRows) and len(X) > X.shape[1] and (group := X.table.group_of(X.index)) is not None:
            Z, unit = shared_rows(X.table, group, X.index[order], device, params)
            return cls(_dense_rows(Z, starts, params), order, params, unit=unit)
        table = as_tensor(as_array(X), device)[torch.as_tensor(order, device=device)]
        rotation = fit_rotation(table, full=full)
        width = 1 + (table.shape[1] if rotation.vectors is None else rotation.vectors.shape[1])
        dtype = working_dtype(rotation.largest, params.C * rotation.unit**2, n_elements=len(table) * width)
        Z = rotation.rotate(table, dtype=dtype)
        return cls(_dense_rows(Z, starts, params), order, params, rotation.vectors, rotation.unit)

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self.rows.mean_square.device

    @property
    def C(self) -> float:
        """The inverse penalty of weights of vectors that were divided by the unit."""
        return self.params.C * self.unit**2

    @property
    def converged_at(self) -> float:
        """What it takes to be converged."""
        return TOL if self.params.tol is None else self.params.tol

    @property
    def tol(self) -> float:
        """Where to stop."""
        elements = self.rows.starts[-1] * self.rows.width
        if self.params.tol is not None or elements > MEDIUM:
            return self.converged_at
        return TOL_SMALL if elements <= SMALL else TOL_MEDIUM

    @property
    def max_iter(self) -> int:
        """Most iterations of the fold stage."""
        return MAX_ITER if self.params.max_iter is None else self.params.max_iter

    def labels(self, y: npt.NDArray[Any]) -> Tensor:
        """(n, L) in the order of the rows."""
        return torch.as_tensor(y[self.order], device=self.device).to(self.rows.mean_square)

    def one_hot(self, y: npt.NDArray[np.int64]) -> Tensor:
        """(n, C) in the order of the rows."""
        classes = torch.as_tensor(y[self.order], device=self.device)
        return torch.nn.functional.one_hot(classes).to(self.rows.mean_square)

    def fit(self, target: Target, train: npt.NDArray[np.bool_]) -> Tensor:
        """(S, L * n_outputs, width) float64 weights of the logits of every split; 0 where there is nothing to learn.

        Args:
            target: What to fit.
            train: (S, B) the blocks of each split.
        """
        trains = torch.as_tensor(train.T, device=self.device)
        learnable, plain = target.learnable(trains), Penalty.plain(self.C, self.rows.mean_square)
        shape = len(train), target.n_problems, target.n_outputs, self.rows.width
        out = torch.zeros(shape, dtype=torch.float64, device=self.device)
        pending = self.blocks(target, len(train))
        while pending:
            block = pending.pop(0)
            split, position = learnable[:, block].nonzero(as_tuple=True)
            if not len(split):
                continue
            column = block[position]
            fits = Fits(target, column, trains[:, split], plain)
            try:
                _, solved = solve(fits, plain, trains.any(1), tol=self.tol, limit=self.max_iter)
            except torch.OutOfMemoryError:
                if len(block) == 1:
                    raise
                pending[:0] = block.chunk(2)
                continue
            self.solutions.append(solved)
            out[split, column] = target.outputs(solved.weights.double()).reshape(-1, *shape[2:])
        return out.flatten(1, 2)

    def predict(self, weights: Tensor, test: npt.NDArray[np.bool_]) -> Array:
        """Logits (n, k) of the rows that a split scores, in the caller's order; 0 elsewhere.

        Args:
            weights: (S, k, width).
            test: (S, B) which blocks each split scores.
        """
        out = np.zeros((self.rows.starts[-1], weights.shape[1]))
        for split, block in np.argwhere(test).tolist():
            low, high = self.rows.starts[block], self.rows.starts[block + 1]
            projected = self.rows.project(weights[split].to(self.rows.mean_square))

            def work(tiles: Sequence[tuple[int, int]], projected: Any = projected) -> None:
                for first, end in tiles:
                    logits = self.rows.logits(projected, first, end)
                    out[self.order[first:end]] = logits.T.double().cpu().numpy()

            run(work, self.rows.ranges(low, high, weights.shape[1]))
        return out

    def settings(self) -> dict[str, Any]:
        """What shaped the fits."""
        return {
            "C": self.params.C,
            "tol": self.converged_at,
            "max_iter": self.max_iter,
            "dtype": str(self.rows.mean_square.dtype).removeprefix("torch."),
            "rough_products": "none" if self.rows.low_precision is None else "bfloat16",
            "device": self.device.type,
        }

    def convergence(self) -> dict[str, Any]:
        """The certificate: how far the worst fit is from its optimum, and what it took."""
        if not self.solutions:
            return {"converged": True, "n_fits": 0, "n_unconverged": 0}
        error, gradient, passes, in_double = (
            torch.cat([getattr(each, name).double() for each in self.solutions])
            for name in ("error", "gradient", "passes", "in_double")
        )
        unconverged = int(torch.logical_not(error < self.converged_at).sum())
        return {
            "converged": unconverged == 0,
            "n_fits": len(error),
            "n_unconverged": unconverged,
            "logit_error": float(error.max()),
            "n_float64": int(in_double.sum()) if self.rows.mean_square.dtype == torch.float32 else len(error),
            "scaled_gradient": float(gradient.max()) / self.rows.starts[-1],
            "passes": float(passes.mean()),
        }

    def blocks(self, target: Target, n_children: int) -> list[Tensor]:
        """The target's problems in blocks whose solves fit into memory."""
        budget = self.params.memory or SHARE * free_memory(self.device)
        size = problems_per_block(
            budget,
            weights=target.n_columns * self.rows.width,
            split_fits=n_children,
            logits=0 if self.rows.low_precision is None else target.n_outputs * self.rows.starts[-1],
            bytes_each=self.rows.mean_square.element_size(),
        )
        return list(torch.split(torch.arange(target.n_problems, device=self.device), size))


def _dense_rows(Z: Tensor, starts: list[int], params: Params) -> Rows:
    rows = Rows(Z, starts)
    if params.low_precision and supports_bfloat16(Z.device, Z.dtype, Z.shape[1]):
        rows.low_precision = RoundedRows(rows)
    return rows


def _pair_rows(pairs: PairedRows, starts: list[int], device: str, params: Params) -> tuple[PairRows, float]:
    left, right, values, unit = rotate_pairs(pairs, device=device)
    dtype = working_dtype(float(values[-1]), params.C * unit**2, n_elements=len(pairs) * left.shape[1])
    mean_square = torch.cat([values / len(pairs), values.new_ones(1)]).to(dtype)
    left_index, right_index = (torch.as_tensor(index, device=device) for index in (pairs.left_index, pairs.right_index))
    return PairRows((left.to(dtype), right.to(dtype)), (left_index, right_index), starts, mean_square), unit


def choose_device(name: str | None) -> str:
    """Where to solve: the named device, or CUDA where there is one. Other accelerators lack float64.

    Raises:
        ProbeError: CUDA is asked for, and there is none.
    """
    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not name.startswith("cuda"):
        return "cpu"
    if not torch.cuda.is_available():
        msg = f"device {name!r} is not there: PyTorch sees no CUDA device; leave the device out, or take 'cpu'"
        raise ProbeError(msg)
    return name


def shared_rows(
    table: VectorTable, group: int, index: npt.NDArray[np.integer[Any]], device: str, params: Params
) -> tuple[Tensor, float]:
    """(n, d + 1) rows of a table in the eigenbasis of a group of them, which is rotated once, and their unit."""
    members = table.groups[group]

    def vectors(numbers: npt.NDArray[np.integer[Any]]) -> Tensor:
        return as_tensor(table.vectors[numbers], device)

    if (key := f"rotation {group} {device}") not in table.cache:
        table.cache[key] = fit_rotation(vectors(members))
    rotation: Rotation = table.cache[key]
    width = rotation.mean.shape[0] + 1
    dtype = working_dtype(rotation.largest, params.C * rotation.unit**2, n_elements=len(index) * width)
    if (key := f"rows {group} {device} {dtype}") not in table.cache:
        table.cache[key] = rotation.rotate(vectors(members), dtype=dtype)
    rotated: Tensor = table.cache[key]
    position = np.full(len(table.vectors), -1)
    position[members] = np.arange(len(members))
    with all_cores():
        rows = rotated.index_select(0, torch.as_tensor(position[index], device=device).clamp(min=0))
    if (outside := position[index] < 0).any():
        rows[torch.as_tensor(outside, device=device)] = rotation.rotate(vectors(index[outside]), dtype=dtype)
    return rows, rotation.unit


def working_dtype(largest: float, C: float, *, n_elements: int) -> torch.dtype:
    """Float32 unless its rounding of the rows could outweigh the penalty, or the rows are `SMALL`.

    Rounding moves a row by eps |z|, the Gram matrix by eps^2 times its largest eigenvalue, and the Hessian by at most a
    quarter of that; directions that carry less than the rounding are free to move unless the penalty 1 / C holds them.
    A penalty near the largest float32 needs float64 too.
    """
    eps = torch.finfo(torch.float32).eps
    rounding = 0.25 * eps * eps * largest * C > 1e-4
    return torch.float64 if rounding or C < 1e-15 or n_elements <= SMALL else torch.float32


def present_classes(y: npt.NDArray[np.int64], blocks: Blocks, train: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(T, C) whether the class occurs in the blocks of each of the (T, B) training sets."""
    return np.stack([np.bincount(y[mine[blocks]], minlength=y.max() + 1) > 0 for mine in train])
