"""Inverse Hessians from curvature pairs, against the two-loop recursion."""

import numpy as np
import pytest
import torch

from gene_eval.core.solver import curvature as fast_curvature
from gene_eval.core.solver.curvature import Diagonals, Pairs, Relatives, Window


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


class RowPass:
    """Random steps of k problems, each on a quadratic of its own, in float64."""

    def __init__(self, k=5, v=12, capacity=4):
        torch.manual_seed(0)
        root = torch.randn(k, v, v, dtype=torch.float64)
        self.hessian = root @ root.mT + torch.eye(v, dtype=torch.float64)
        self.diagonal = torch.rand(k, v, dtype=torch.float64) + 0.5
        self.gradient = torch.randn(k, v, dtype=torch.float64)
        self.window = Window(self.gradient, self.diagonal * self.gradient, capacity)
        self.pairs = [[] for _ in range(k)]

    def step(self, uncurved=()):
        step = torch.randn_like(self.gradient)
        change = (self.hessian @ step[:, :, None])[:, :, 0]
        for problem in uncurved:
            change[problem] *= -1
        self.gradient = self.gradient + change
        for problem, pairs in enumerate(self.pairs):
            pairs.append(None if problem in uncurved else (step[problem], change[problem]))
        return self.window.push(step, change, self.gradient, self.diagonal * self.gradient)

    def expected(self, length):
        """By the two loops over the latest pairs that saw curvature."""
        return torch.stack(
            [
                two_loops(g, [p for p in pairs[-self.window.capacity :] if p], d, one)
                for g, pairs, d, one in zip(self.gradient, self.pairs, self.diagonal, length, strict=True)
            ]
        )


@pytest.mark.parametrize("n_steps", [0, 1, 4, 7, 13])
@pytest.mark.parametrize(("worth_a_core", "n_pairs", "capacity"), [(0, 16, 4), (1 << 30, 2, 7), (1 << 30, 3, 5)])
def test_a_window_gives_what_two_loops_give(monkeypatch, n_steps, worth_a_core, n_pairs, capacity):
    monkeypatch.setattr(fast_curvature, "MIN_PER_CORE", worth_a_core)
    monkeypatch.setattr(fast_curvature, "INITIAL_PAIRS", n_pairs)
    row_pass = RowPass(capacity=capacity)
    for _ in range(n_steps):
        row_pass.step()
    for length in (torch.ones(5, dtype=torch.float64), torch.linspace(0.1, 3, 5, dtype=torch.float64)):
        torch.testing.assert_close(row_pass.window.descent(length), row_pass.expected(length))


def test_steps_without_curvature_are_ignored():
    row_pass = RowPass()
    row_pass.step()
    ratio = row_pass.step(uncurved=(1, 3))
    assert ratio[[1, 3]].tolist() == [1, 1]
    length = torch.ones(5, dtype=torch.float64)
    for _ in range(6):
        torch.testing.assert_close(row_pass.window.descent(length), row_pass.expected(length))
        row_pass.step(uncurved=(0,))
    # Nothing is left of a problem that saw none in all of its window.
    torch.testing.assert_close(row_pass.window.descent(length)[0], -(row_pass.diagonal * row_pass.gradient)[0])


def test_the_length_that_fits_the_last_step():
    row_pass = RowPass()
    ratio = row_pass.step()
    step, change = (torch.stack(part) for part in zip(*(pairs[-1] for pairs in row_pass.pairs), strict=True))
    expected = (step * change).sum(1) / (change * row_pass.diagonal * change).sum(1)
    torch.testing.assert_close(ratio, expected)


def test_who_stays_keeps_its_pairs_and_goes_on():
    row_pass = RowPass()
    for _ in range(3):
        row_pass.step()
    keep = torch.tensor([0, 4, 2])
    row_pass.window.keep(keep)
    row_pass.pairs = [row_pass.pairs[i] for i in keep]
    row_pass.hessian, row_pass.diagonal, row_pass.gradient = (
        x[keep] for x in (row_pass.hessian, row_pass.diagonal, row_pass.gradient)
    )
    length = torch.ones(3, dtype=torch.float64)
    for _ in range(4):
        torch.testing.assert_close(row_pass.window.descent(length), row_pass.expected(length))
        row_pass.step()


def test_some_look_elsewhere():
    row_pass = RowPass()
    for _ in range(3):
        row_pass.step()
    some = torch.tensor([3, 1])
    part = row_pass.window.take(some)
    row_pass.gradient[some] += 1
    part.observe(row_pass.gradient[some], (row_pass.diagonal * row_pass.gradient)[some])
    length = torch.ones(5, dtype=torch.float64)
    torch.testing.assert_close(part.descent(length[some]), row_pass.expected(length)[some])
    row_pass.window.put(some, part)
    for _ in range(3):
        torch.testing.assert_close(row_pass.window.descent(length), row_pass.expected(length))
        row_pass.step()


def test_compact_pairs_invert_a_quadratic():
    """With as many conjugate pairs as dimensions the L-BFGS matrix is the inverse Hessian."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    hessian = torch.as_tensor(root @ root.T + np.eye(6))
    steps = torch.linalg.eigh(hessian).eigenvectors.T[None]
    pairs = Pairs.build(steps, steps @ hessian, torch.ones(1, 6, dtype=torch.float64))
    torch.testing.assert_close(pairs.apply(torch.eye(6, dtype=torch.float64)[None])[0], torch.linalg.inv(hessian))


@pytest.fixture
def families():
    """Three full-data fits of four split fits, all different."""
    torch.manual_seed(0)
    steps = torch.randn(3, 4, 6, dtype=torch.float64)
    changes = steps * (torch.rand(3, 1, 6, dtype=torch.float64) + 0.5)
    pairs = Pairs.build(steps, changes, torch.rand(3, 6, dtype=torch.float64) + 0.5)
    full_fit, position = torch.arange(12) % 3, torch.arange(12) // 3
    return Relatives(pairs, full_fit, position, 4)


def test_children_are_shaped_by_their_parents(families):
    vectors = torch.randn(12, 6, dtype=torch.float64)
    matrices = families.pairs.apply(torch.eye(6, dtype=torch.float64).expand(3, 6, 6))
    problems = torch.tensor([7, 0, 11])
    expected = (matrices[families.full_fit[problems]] @ vectors[problems, :, None])[:, :, 0]
    torch.testing.assert_close(families.apply(vectors[problems], problems), expected)


def test_parents_without_children_are_dropped(families):
    problems = torch.tensor([5, 2, 9, 0])
    vectors = torch.randn(4, 6, dtype=torch.float64)
    left = families.restrict(problems)
    assert len(left.pairs.pairs) == 2
    torch.testing.assert_close(left.apply(vectors, problems), families.apply(vectors, problems))
    again = left.restrict(problems[:1])
    assert len(again.pairs.pairs) == 1
    torch.testing.assert_close(again.apply(vectors[:1], problems[:1]), families.apply(vectors[:1], problems[:1]))


def test_diagonals_know_their_problems():
    diagonal = torch.arange(6.0).reshape(3, 2)
    metric, problems = Diagonals(diagonal), torch.tensor([2, 0])
    torch.testing.assert_close(metric.restrict(problems).apply(torch.ones(2, 2), problems), diagonal[problems])
