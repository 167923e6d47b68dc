"""The Hessian of a whole problem, factorised once, where a diagonal says too little.

Raw counts have columns that matter to few rows, and their curvature moves far from that of any diagonal: L-BFGS then
takes hundreds of passes. One Cholesky factor of the Hessian on all rows is so close to the Hessians of the training
sets, which lack a fifth of the rows, that each is solved in about twenty passes from there.

Softmax does not change when all classes' weights move together, so Hessians are written in contrasts, an orthonormal
basis of what is left. Their blocks are Z' diag(b) Z with b the curvature of the row's logits between two contrasts.
Where the rows are many times the unknowns, a sample of them serves: rows are kept with a probability in proportion to
curvature times squared length, a bound of their leverage, and weighted by its inverse (Drineas and Mahoney,
"RandNLA: randomized numerical linear algebra", 2016). The sample shapes steps, never the optimum.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gene_eval.core.fast_lbfgs import Objective
from gene_eval.core.fast_rows import Rows
from gene_eval.core.fast_threads import all_cores

OVERSAMPLING = 6
"""Rows in the sample, as a multiple of the unknowns."""
CHUNK = 4096


@dataclass(frozen=True)
class Factors:
    """Inverse Hessians of L parents, each of C classes, for their children.

    Attributes:
        root: (L, J * width, J * width) inverses of the Cholesky factors of the scaled Hessians in J contrasts.
        scale: (L, J * width) what makes the diagonals of the Hessians 1.
        contrasts: (C, J).
        parent: (K,) parent of each child.
    """

    root: Tensor
    scale: Tensor
    contrasts: Tensor
    parent: Tensor

    def apply(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """(k, v) vectors of the numbered problems, without a part common to all classes, times inverse Hessians."""
        out = torch.empty_like(vectors)
        parent = self.parent[problems]
        for number in torch.unique(parent).tolist():
            mine = parent == number
            inside = _combine(vectors[mine], self.contrasts) * self.scale[number]
            with all_cores():
                solved = inside @ self.root[number].T @ self.root[number] * self.scale[number]
            out[mine] = _combine(solved, self.contrasts.T)
        return out

    def base(self, vectors: Tensor, problems: Tensor) -> Tensor:
        """See `Metric`: there are no pairs in a factor."""
        return self.apply(vectors, problems)

    def double(self) -> "Factors":
        """The same in float64."""
        return Factors(self.root.double(), self.scale.double(), self.contrasts.double(), self.parent)

    def among(self, numbers: Tensor) -> "Factors":
        """For the children of these numbers, renumbered."""
        return Factors(self.root, self.scale, self.contrasts, self.parent[numbers])


def _combine(vectors: Tensor, matrix: Tensor) -> Tensor:
    """(k, a * width) vectors as (k, b * width), their a parts combined by the (a, b) matrix."""
    parts = vectors.reshape(len(vectors), len(matrix), -1)
    return torch.einsum("kaw,ab->kbw", parts, matrix).flatten(1)


def contrasts(n_classes: int, like: Tensor) -> Tensor:
    """(C, C - 1) orthonormal columns that sum to 0; (1, 1) ones for a single column of weights."""
    if n_classes == 1:
        return like.new_ones(1, 1)
    eye = torch.eye(n_classes, dtype=torch.float64, device=like.device)
    ones = torch.ones_like(eye[:, :1])
    basis: Tensor = torch.linalg.qr(torch.cat([ones, eye[:, 1:]], 1)).Q
    return basis[:, 1:].to(like)


def without_common_part(weights: Tensor, n_classes: int) -> Tensor:
    """Weights (k, v) that predict the same and have the least penalty: classes sum to 0."""
    if n_classes == 1:
        return weights
    parts = weights.reshape(len(weights), n_classes, -1)
    return (parts - parts.mean(1, keepdim=True)).flatten(1)


def cost(rows: Rows, n_problems: int, n_classes: int) -> float:
    """Floating point operations of `factorise`."""
    n_contrasts = max(1, n_classes - 1)
    wide = n_contrasts * rows.width
    sampled = min(rows.starts[-1], OVERSAMPLING * wide)
    return n_problems * (n_contrasts * (n_contrasts + 1.0) * sampled * rows.width**2 + wide**3 / 3)


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
    basis = contrasts(weights.shape[1] // rows.width, weights)
    plain = penalty[: rows.width].repeat(basis.shape[1])
    factors, scales = [], []
    for number in range(len(weights)):
        bends = objective.bends(weights[number], number, basis)
        with all_cores():
            hessian = _hessian(rows, *_sample(rows, bends)) * share
            hessian.diagonal().add_(plain)
            scale = hessian.diagonal().clamp(min=torch.finfo(hessian.dtype).tiny).rsqrt()
            hessian.mul_(scale).mul_(scale[:, None])
            factor, failed = torch.linalg.cholesky_ex(hessian)
            if bool(failed):
                return None
            # A few vectors at a time, products with the inverse take a fifth of the time of substitutions.
            factors.append(torch.linalg.solve_triangular(factor, torch.eye(len(factor)).to(factor), upper=False))
        scales.append(scale)
    return Factors(torch.stack(factors), torch.stack(scales), basis, parent)


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
