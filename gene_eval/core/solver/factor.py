"""The Hessian of a whole problem, factorised once, where a diagonal says too little.

Raw counts have columns that matter to few rows, and their curvature moves far from that of any diagonal: L-BFGS then
takes hundreds of passes. One Cholesky factor of the Hessian on all rows is so close to the Hessians of the training
sets, which lack a fifth of the rows, that each is solved in about twenty passes from there.

With J columns of weights the Hessian has blocks Z' diag(b) Z, b being the curvature of a row's logits between two of
them. Where the rows are many times the unknowns, a sample of them serves: rows are kept with a probability in
proportion to curvature times squared length, a bound of their leverage, and weighted by its inverse (Drineas and
Mahoney, "RandNLA: randomized numerical linear algebra", 2016). The sample shapes steps, never the optimum.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gene_eval.core.solver.lbfgs import Objective
from gene_eval.core.solver.rows import Rows
from gene_eval.core.solver.threads import all_cores

OVERSAMPLING = 6
"""Rows in the sample, as a multiple of the unknowns."""
CHUNK = 4096


@dataclass(frozen=True)
class Factors:
    """Inverse Hessians of L parents, for their children.

    Attributes:
        root: (L, v, v) inverses of the Cholesky factors of the scaled Hessians.
        scale: (L, v) what makes the diagonals of the Hessians 1.
        parent: (K,) parent of each child.
    """

    root: Tensor
    scale: Tensor
    parent: Tensor

    def apply(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """See `Metric`."""
        out = torch.empty_like(vectors)
        parent = self.parent[problems]
        for number in torch.unique(parent).tolist():
            mine = parent == number
            with all_cores():
                scaled = vectors[mine] * self.scale[number]
                out[mine] = scaled @ self.root[number].T @ self.root[number] * self.scale[number]
        return out

    def double(self) -> "Factors":
        """The same in float64."""
        return Factors(self.root.double(), self.scale.double(), self.parent)

    def among(self, problems: Tensor) -> "Factors":
        """See `Metric`."""
        return self

    def renumbered(self, numbers: Tensor) -> "Factors":
        """For the children of these numbers."""
        return Factors(self.root, self.scale, self.parent[numbers])


def cost(rows: Rows, n_problems: int, n_columns: int) -> float:
    """Floating point operations of `factorise` for problems of n_columns columns of weights."""
    wide = n_columns * rows.width
    sampled = min(rows.starts[-1], OVERSAMPLING * wide)
    return n_problems * (n_columns * (n_columns + 1.0) * sampled * rows.width**2 + wide**3 / 3)


def factorise(
    objective: Objective, rows: Rows, weights: Tensor, penalty: Tensor, parent: Tensor, *, share: float
) -> Factors | None:
    """Factors at the (L, v) weights of the parents, None if rounding leaves a Hessian indefinite.

    Args:
        objective: Of the parents.
        rows: All of them.
        weights: (L, v).
        penalty: (v,) diagonal of the penalty.
        parent: (K,) parent of each child.
        share: Share of the rows that a child trains on.
    """
    factors, scales = [], []
    for number in range(len(weights)):
        bends = objective.bends(weights[number], number)
        with all_cores():
            hessian = _hessian(rows, *_sample(rows, bends)) * share
            hessian.diagonal().add_(penalty)
            scale = hessian.diagonal().clamp(min=torch.finfo(hessian.dtype).tiny).rsqrt()
            hessian.mul_(scale).mul_(scale[:, None])
            factor, failed = torch.linalg.cholesky_ex(hessian)
            if bool(failed):
                return None
            # A few vectors at a time, products with the inverse take a fifth of the time of substitutions.
            factors.append(torch.linalg.solve_triangular(factor, torch.eye(len(factor)).to(factor), upper=False))
        scales.append(scale)
    return Factors(torch.stack(factors), torch.stack(scales), parent)


def _sample(rows: Rows, bends: Tensor) -> tuple[Tensor, Tensor]:
    """(n,) which rows to keep, and their (m, J, J) curvatures, weighted."""
    n, wanted = len(bends), OVERSAMPLING * bends.shape[1] * rows.width
    if n <= wanted:
        return torch.ones(n, dtype=torch.bool, device=bends.device), bends
    lengths = [rows.dense(low, min(low + CHUNK, n)).square().sum(1) for low in range(0, n, CHUNK)]
    leverage = (bends.diagonal(dim1=1, dim2=2).sum(1) * torch.cat(lengths)).double()
    chance = (leverage * (wanted / leverage.sum())).clamp_(max=1)
    # Systematic sampling: a row is kept where the running sum of chances passes a whole number.
    passed = torch.cat([chance.new_zeros(1), chance.cumsum(0)]).floor()
    keep = passed.diff() > 0
    return keep, bends[keep] / chance[keep].to(bends)[:, None, None]


def _hessian(rows: Rows, keep: Tensor, bends: Tensor) -> Tensor:
    """(J * width, J * width) sum over kept rows of the (m, J, J) curvatures times the outer products of the rows."""
    n_contrasts, width = bends.shape[1], rows.width
    out = bends.new_zeros(n_contrasts, width, n_contrasts, width)
    done = 0
    for low in range(0, len(keep), CHUNK):
        kept = keep[low : low + CHUNK]
        Z = rows.dense(low, low + len(kept))[kept]
        part = bends[done : done + len(Z)]
        done += len(Z)
        for i in range(n_contrasts):
            for j in range(i + 1):
                out[i, :, j] += (Z * part[:, i, j, None]).T @ Z
    for i in range(n_contrasts):
        for j in range(i):
            out[j, :, i] = out[i, :, j].T
    return out.reshape(n_contrasts * width, -1)
