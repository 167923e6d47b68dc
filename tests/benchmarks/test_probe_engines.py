"""The benchmark of the engines: what its rates count, and that all tasks are run."""

import re
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import probe_engines
from benchmarks.probe_engines import TASKS, compare, main, solve_work
from gene_eval.core.engines import Params, get_engine
from gene_eval.core.fast_rows import DenseRows


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 80)).astype(np.float32)
    signal = X @ rng.normal(size=(80, 12)) + 8 * rng.normal(size=(1500, 12))
    return X, signal, np.arange(1500) % 5


@pytest.mark.parametrize("target", ["multilabel", "multiclass"])
def test_no_more_work_is_counted_than_is_done(target, problem, monkeypatch):
    X, signal, folds = problem
    y = signal > 4 if target == "multilabel" else signal.argmax(axis=1)
    done = []

    def count(name, size):
        original = getattr(DenseRows, name)

        def product(self, *arguments):
            out = original(self, *arguments)
            done.append(2e-9 * size(out, arguments) * self.width)
            return out

        monkeypatch.setattr(DenseRows, name, product)

    count("logits", lambda out, arguments: out.numel())
    count("collect", lambda out, arguments: arguments[-1].numel())
    found = get_engine("fast")(X, y, target=target, folds=folds, params=Params(tol=1e-3))
    counted = solve_work(X.shape, folds, 12 if target == "multiclass" else 1, found.convergence)
    assert found.convergence["n_float64"] == 0
    assert sum(done) / 2 < counted < sum(done)


def test_the_share_is_that_of_the_matmul_rate(problem, monkeypatch, capsys):
    X, signal, folds = problem
    monkeypatch.setattr(probe_engines, "matmul_rate", lambda: 100.0)
    monkeypatch.setattr(probe_engines, "solve_work", lambda *arguments: 3.0)
    compare(X, signal > 4, folds, "multilabel", [])
    (found,) = re.findall(
        r"solve only +([\d.]+) s: (\d+) GFLOP/s, (\d+)% of the matmul rate \(100\)", capsys.readouterr().out
    )
    seconds, rate, share = map(float, found)
    assert rate == share == pytest.approx(3.0 / seconds, rel=0.1)


def test_all_tasks_are_run_one_after_the_other(monkeypatch):
    runs = []
    monkeypatch.setattr(sys, "argv", ["probe_engines.py", "--data-dir", "raw", "--task", "all"])
    monkeypatch.setattr(subprocess, "run", lambda command, check: runs.append(command[1:]))
    main()
    assert runs == [["probe_engines.py", "--data-dir", "raw", "--task", "all", "--task", task] for task in TASKS]
