"""Newton's method in float64, one problem at a time: for small problems, and for those that L-BFGS could not finish.

A step solves (Z' D Z + 1 / C) s = -gradient by Cholesky and is halved until it decreases the objective by a tenth of
what it promises (Boyd and Vandenberghe, "Convex Optimization", 9.5.2). Its certificate is exact: half the squared
Newton decrement is the distance to the optimum to second order.
"""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gene_eval.core.solver.lbfgs import LOOSER

MAX_STEPS = 50
FLAT = 1e-12


@torch.no_grad()
def newton(Z: Tensor, y: Tensor, weights: Tensor, penalty: Tensor, *, tol: float) -> tuple[Tensor, float, float, int]:
    """Fit one logistic regression.

    Args:
        Z: (n, v) float64 training rows, the last column ones.
        y: (n,) 0/1, not constant.
        weights: (v,) where to start.
        penalty: (v, v) the Hessian of the penalty.
        tol: Root mean square change left in the logits, over the curvature and relative to the logits, to stop at.

    Returns:
        Weights, the error by the rule of `fast_lbfgs`, the largest entry of the gradient, and the steps taken.
    """
    eta = Z @ weights
    error = largest = torch.inf
    for steps in range(MAX_STEPS):
        p = torch.sigmoid(eta)
        bend = p * torch.sigmoid(-eta)
        gradient = Z.T @ (p - y) + penalty @ weights
        hessian = Z.T @ (Z * bend[:, None]) + penalty
        # The intercept alone is unpenalised: where all rows are classified its curvature can underflow.
        hessian[-1, -1] += 1e-14 * len(y)
        step = -torch.cholesky_solve(gradient[:, None], torch.linalg.cholesky(hessian))[:, 0]
        decrement = -gradient @ step
        scale = eta.square().mean().clamp(min=1)
        weighted = decrement.clamp(min=0) / bend.sum().clamp(min=FLAT)
        unweighted = (Z @ step).square().mean() * LOOSER**2
        error = float((torch.maximum(weighted, unweighted) / scale).sqrt())
        largest = float(gradient.abs().max())
        if error < tol:
            return weights, error, largest, steps
        weights, eta = _backtrack(Z, y, weights, penalty, eta, step, decrement)
    return weights, error, largest, MAX_STEPS


def _backtrack(
    Z: Tensor, y: Tensor, weights: Tensor, penalty: Tensor, eta: Tensor, step: Tensor, decrement: Tensor
) -> tuple[Tensor, Tensor]:
    """The weights and logits after a step short enough to decrease the objective, or a full one within rounding."""
    change = Z @ step
    before = _objective(eta, y, weights, penalty)
    length = 1.0
    while length > 1e-6 and float(decrement) > 1e-10 * float(before.abs()):
        after = _objective(eta + length * change, y, weights + length * step, penalty)
        if bool(after <= before - 0.1 * length * decrement):
            break
        length /= 2
    return weights + length * step, eta + length * change


def _objective(eta: Tensor, y: Tensor, weights: Tensor, penalty: Tensor) -> Tensor:
    return (softplus(eta) - y * eta).sum() + 0.5 * weights @ (penalty @ weights)
