"""Coordinates in which a diagonal fits every Hessian: the eigenbasis of the centred Gram matrix.

The Hessian of a logistic regression is X' D X + 1 / C with row weights D = p(1 - p). In the eigenbasis of X' X it is
nearly diagonal for every label and every subset of rows, so one rotation serves all labels and folds of a task, and all
tasks of a model. The L2 penalty does not change under a rotation, nor do predictions; moving the origin only moves the
intercept, which is not penalised. So any centre and any orthonormal basis that spans the rows gives the same optimum:
a basis made from a whole table of genes is exact for every subset of them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

SMALL = 512
"""Up to this many dimensions the eigenbasis costs nothing and is made in float64."""


@dataclass(frozen=True)
class Rotation:
    """An orthonormal basis around a centre.

    Attributes:
        mean: (d,) float64.
        vectors: (d, r) orthonormal columns; r < d where the rows span less.
        largest: The largest eigenvalue of the centred Gram matrix.
    """

    mean: Tensor
    vectors: Tensor
    largest: float

    def rotate(self, X: Tensor, *, dtype: torch.dtype) -> Tensor:
        """(n, r + 1): the rows in the basis, and a column of ones."""
        out = X.new_empty(len(X), self.vectors.shape[1] + 1, dtype=dtype)
        basis = self.vectors.to(dtype)
        for low in range(0, len(X), 4096):
            part = centred(X[low : low + 4096], self.mean, dtype)
            torch.mm(part, basis, out=out[low : low + 4096, :-1])
        out[:, -1] = 1
        return out


def centred(X: Tensor, mean: Tensor, dtype: torch.dtype) -> Tensor:
    """X - mean in float64, rounded afterwards, so that a large common offset costs no digits."""
    return (X.double() - mean).to(dtype)


def as_tensor(X: npt.NDArray[np.floating], device: str) -> Tensor:
    """X on the device, without a copy where it is there already."""
    return torch.as_tensor(np.ascontiguousarray(X), device=device)


@torch.no_grad()
def fit_rotation(X: Tensor, *, dtype: torch.dtype = torch.float32) -> Rotation:
    """The eigenbasis of the centred rows, from the smaller of X' X and X X'."""
    mean = X.mean(0, dtype=torch.float64)
    n, d = X.shape
    precise = torch.float64 if min(n, d) <= SMALL else dtype
    if n > d:
        gram = torch.zeros(d, d, dtype=precise, device=X.device)
        for low in range(0, n, 4096):
            part = centred(X[low : low + 4096], mean, precise)
            gram.addmm_(part.T, part)
        values, vectors = torch.linalg.eigh(gram)
        return Rotation(mean, vectors, float(values[-1].clamp(min=0)))
    part = centred(X, mean, torch.float64)
    values, vectors = torch.linalg.eigh(part @ part.T)
    largest = float(values[-1].clamp(min=0))
    kept = values > largest * n * torch.finfo(torch.float64).eps
    basis = part.T @ (vectors[:, kept] / values[kept].sqrt())
    # The directions of small eigenvalues lose orthogonality in the Gram matrix; one QR restores it.
    return Rotation(mean, torch.linalg.qr(basis).Q, largest)
