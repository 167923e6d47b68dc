"""Inverse Hessians from curvature pairs, against the two-loop recursion."""

import pytest
import torch

from gene_eval.core.solver import lbfgs
from gene_eval.core.solver.lbfgs import Window

ONES = torch.ones(5, dtype=torch.float64)


def two_loops(gradient, pairs, diagonal, length):
    """Nocedal and Wright, "Numerical optimization", algorithm 7.4, for one problem; pairs oldest first."""
    q, taken = gradient.clone(), []
    for step, change in reversed(pairs):
        taken.append(step @ q / (step @ change))
        q -= taken[-1] * change
    r = length * diagonal * q
    for (step, change), share in zip(pairs, reversed(taken), strict=True):
        r += step * (share - change @ r / (step @ change))
    return -r


class Walk:
    """Random steps of five problems, each on a quadratic of its own, in float64."""

    def __init__(self, k=5, v=12, capacity=4):
        torch.manual_seed(0)
        root = torch.randn(k, v, v, dtype=torch.float64)
        self.hessian = root @ root.mT + torch.eye(v, dtype=torch.float64)
        self.diagonal = torch.rand(k, v, dtype=torch.float64) + 0.5
        self.gradient = torch.randn(k, v, dtype=torch.float64)
        self.window = Window(self.diagonal, capacity)
        self.pairs = [[] for _ in range(k)]

    def step(self, uncurved=()):
        step = torch.randn_like(self.gradient)
        change = (self.hessian @ step[:, :, None])[:, :, 0]
        for problem in uncurved:
            change[problem] *= -1
        self.gradient = self.gradient + change
        for problem, pairs in enumerate(self.pairs):
            pairs.append(None if problem in uncurved else (step[problem], change[problem]))
        self.window.push(step, change)

    def select(self, index):
        self.pairs = [list(self.pairs[i]) for i in index]
        self.hessian, self.diagonal, self.gradient = (x[index] for x in (self.hessian, self.diagonal, self.gradient))

    def check(self, longest):
        """By the two loops over the pairs of the window that saw curvature."""
        rows = zip(self.gradient, self.pairs, self.diagonal, longest, strict=True)
        expected = []
        for gradient, pairs, diagonal, most in rows:
            length = 1.0
            if pairs and pairs[-1] and not self.window.inherited:
                step, change = pairs[-1]
                length = step @ change / (change @ (diagonal * change))
            seen = [pair for pair in pairs[len(pairs) - self.window.size :] if pair]
            own = pairs and not self.window.inherited
            expected.append(two_loops(gradient, seen, diagonal, min(length, most) if own else 1.0))
        torch.testing.assert_close(self.window.direction(self.gradient, longest), torch.stack(expected))


@pytest.mark.parametrize("n_steps", [0, 1, 4, 7, 13])
@pytest.mark.parametrize(("worth_a_core", "capacity"), [(0, 4), (1 << 30, 7), (1 << 30, 1)])
def test_a_window_gives_what_two_loops_give(monkeypatch, n_steps, worth_a_core, capacity):
    monkeypatch.setattr(lbfgs, "MIN_PER_CORE", worth_a_core)
    walk = Walk(capacity=capacity)
    for _ in range(n_steps):
        walk.step()
    assert walk.window.size <= capacity
    walk.check(ONES)
    walk.check(torch.linspace(0.01, 3, 5, dtype=torch.float64))


def test_steps_without_curvature_are_ignored():
    walk = Walk()
    walk.step()
    walk.step(uncurved=(1, 3))
    for _ in range(6):
        walk.check(ONES)
        walk.step(uncurved=(0,))
    # Nothing is left of a problem that saw none in all of its window.
    expected = -(walk.diagonal * walk.gradient)[0]
    torch.testing.assert_close(walk.window.direction(walk.gradient, ONES)[0], expected)


@pytest.mark.parametrize("index", [[0, 4, 2], [3]])
def test_who_stays_keeps_its_pairs_and_goes_on(index):
    walk = Walk()
    for _ in range(3):
        walk.step()
    walk.window.keep(torch.tensor(index))
    walk.select(index)
    for _ in range(4):
        walk.check(torch.ones(len(index), dtype=torch.float64))
        walk.step()


def test_several_fits_start_with_the_pairs_of_one():
    walk = Walk()
    for _ in range(3):
        walk.step()
    index = [3, 1, 3]
    before = walk.window
    walk.window = before.take(torch.tensor(index))
    walk.select(index)
    for _ in range(3):
        walk.check(torch.ones(3, dtype=torch.float64))
        walk.step()
    assert before.size == 3
