"""Coordinates in which a diagonal fits every Hessian: the eigenbasis of the centred Gram matrix.

The Hessian of a logistic regression is X' D X + 1 / C with row weights D = p(1 - p). In the eigenbasis of X' X it is
nearly diagonal for every label and every subset of rows, so one rotation serves all labels and folds of a task, and all
tasks of a model. The L2 penalty does not change under a rotation, nor do predictions; moving the origin only moves the
intercept, which is not penalised. So any centre and any orthonormal basis that spans the rows gives the same optimum:
a basis made from a whole table of genes is exact for every subset of them.
"""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from gene_eval.core.solver.resources import all_cores, run

SMALL = 512
"""Up to this many dimensions the eigenbasis costs nothing and is made in float64."""
LARGE = 256
"""From here on an eigenbasis is made on all cores."""
STEP = 1024
"""Rows centred at a time."""
GRAM = 512
"""Columns of the Gram matrix made at a time, down from its diagonal: the other half is the same."""


@dataclass(frozen=True)
class Rotation:
    """An orthonormal basis around a centre.

    Attributes:
        mean: (d,) float64.
        vectors: (d, r) orthonormal columns, r < d where the rows span less; None for the features as they are.
        largest: The largest eigenvalue of the centred Gram matrix.
        unit: What the centred rows are divided by; all else is of those.
    """

    mean: Tensor
    vectors: Tensor | None
    largest: float
    unit: float = 1.0

    def rotate(self, X: Tensor, *, dtype: torch.dtype) -> Tensor:
        """(n, r + 1): the rows in the basis, and a column of ones."""
        basis = None if self.vectors is None else self.vectors.to(dtype)
        out = X.new_empty(len(X), 1 + (X.shape[1] if basis is None else basis.shape[1]), dtype=dtype)

        def work(lows: Sequence[int]) -> None:
            for low in lows:
                part = centred(X[low : low + STEP], self.mean, dtype, self.unit)
                out[low : low + STEP, :-1] = part if basis is None else part @ basis

        run(work, range(0, len(X), STEP))
        out[:, -1] = 1
        return out


def centred(X: Tensor, mean: Tensor, dtype: torch.dtype, unit: float = 1.0) -> Tensor:
    """(X - mean) / unit in float64, rounded afterwards, so that a large common offset costs no digits."""
    moved = X.double() - mean
    return (moved if unit == 1 else moved / unit).to(dtype)


def unit_of(X: Tensor) -> float:
    """A power of two to divide the rows by where squares of them would leave the range of float32, else 1.

    >>> unit_of(torch.tensor([[3.0]])), unit_of(torch.tensor([[3e30]])) == 2.0**101
    (1.0, True)
    """
    largest = float(X.abs().max())
    return 1.0 if largest == 0 or 1e-9 < largest < 1e9 else 2.0 ** math.floor(math.log2(largest))


def as_tensor(X: npt.NDArray[np.floating], device: str) -> Tensor:
    """X on the device, without a copy where it is there already."""
    return torch.as_tensor(np.ascontiguousarray(X), device=device)


@torch.no_grad()
def fit_rotation(X: Tensor, *, full: bool = False) -> Rotation:
    """The eigenbasis of the centred rows, from the smaller of X' X and X X'.

    Args:
        X: (n, d) rows.
        full: Where the rows span less than d dimensions, keep the features instead of a basis of the span.
    """
    mean, unit = _mean(X), unit_of(X)
    n, d = X.shape
    dtype = torch.float64 if min(n, d) <= SMALL else torch.float32
    if n > d:
        values, vectors = eigh(_gram(X, mean, dtype, unit))
        return Rotation(mean, vectors, float(values[-1].clamp(min=0)), unit)
    part = centred(X, mean, dtype, unit)
    values, vectors = eigh(part @ part.T)
    largest = float(values[-1].clamp(min=0))
    if full:
        return Rotation(mean, None, largest, unit)
    with all_cores() if n > SMALL else nullcontext():
        basis = part.T @ vectors.flip(1)
        lengths = basis.norm(dim=0)
        kept = lengths > lengths.max() * 10 * n * torch.finfo(basis.dtype).eps
        # The directions of small eigenvalues lose orthogonality in the Gram matrix; one QR restores it.
        orthonormal = torch.linalg.qr(basis[:, kept] / lengths[kept]).Q
    return Rotation(mean, orthonormal.flip(1), largest, unit)


def _mean(X: Tensor) -> Tensor:
    """(d,) float64 means of the columns."""

    def work(lows: Sequence[int]) -> Tensor:
        return reduce(torch.add, (X[low : low + STEP].double().sum(0) for low in lows))

    return reduce(torch.add, run(work, range(0, len(X), STEP))) / len(X)


def _gram(X: Tensor, mean: Tensor, dtype: torch.dtype, unit: float) -> Tensor:
    """(d, d) products of the centred columns."""
    d = X.shape[1]
    columns = [(low, min(low + GRAM, d)) for low in range(0, d, GRAM)]

    def work(lows: Sequence[int]) -> Tensor:
        gram = torch.zeros(d, d, dtype=dtype, device=X.device)
        for row in lows:
            part = centred(X[row : row + STEP], mean, dtype, unit)
            for low, high in columns:
                gram[low:high, :high].addmm_(part[:, low:high].T, part[:, :high])
        return gram

    gram = reduce(torch.add, run(work, range(0, len(X), STEP)))
    for low, high in columns:
        gram[:low, low:high] = gram[low:high, :low].T
    return gram


def eigh(gram: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, ascending, and eigenvectors of a positive semi-definite matrix.

    Raises:
        LinAlgError: None of the methods converges.
    """
    with all_cores() if len(gram) > LARGE else nullcontext():
        for dtype in dict.fromkeys((gram.dtype, torch.float64)):
            try:
                values, vectors = torch.linalg.eigh(gram.to(dtype))
            except LinAlgError:
                # LAPACK's divide and conquer fails on some singular matrices in float32.
                continue
            if bool(values.isfinite().all()):
                return values.to(gram), vectors.to(gram)
        # Of a positive semi-definite matrix, the singular values are the eigenvalues, largest first.
        vectors, values, _ = torch.linalg.svd(gram.double())
    return values.flip(0).to(gram), vectors.flip(1).to(gram)
