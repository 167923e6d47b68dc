"""What a probe takes above its vectors: bounded, or refused with the least that is needed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gene_eval.core import ProbeError, probe
from gene_eval.core.checks import check_X
from gene_eval.core.table import VectorTable

N, DIM = 4000, 300
SCRIPT = """
import ctypes, gc, re, sys
import numpy as np
from gene_eval.core import ProbeError, probe
from gene_eval.core.pairs import PairedRows
from gene_eval.core.table import VectorTable

def status(name):
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))

n, dim = map(int, sys.argv[1:])
random = np.random.default_rng(0)
X = np.empty((n, dim), dtype=np.float32)
for row in range(0, n, 500):
    X[row : row + 500] = random.normal(size=(min(500, n - row), dim))
labels, folds = (X[:, :3] + random.normal(size=(n, 3)) > 1.5).astype(int), np.arange(n) % 5
few, wide = X[: n // 10], VectorTable(X[:, : dim // 2].reshape(n // 10, -1)).rows(np.arange(n // 10))
classes = X[:, :5].argmax(axis=1)
genes = random.integers(0, n // 10, size=(2, n))
pairs = PairedRows(few, genes[0], few, genes[1], "concat")
table = VectorTable(X).rows(np.arange(n))
CASES = (
    (table, labels, "multilabel", {}),
    (table, X[:, 0], "regression", {}),
    (X, labels[:, 0], "binary", {"engine": "sklearn"}),
    (X, X[:, 0], "regression", {"engine": "sklearn"}),
    (table, classes, "multiclass", {}),
    (table, labels[:, 0], "binary", {"protocol": "scaled"}),
    (table, X[:, 0], "regression", {"protocol": "scaled"}),
    (pairs, labels[:, 0], "binary", {}),
    (pairs, X[:, 0], "regression", {}),
    (wide, labels[: n // 10, 0], "binary", {}),
    (wide, X[: n // 10, 0], "regression", {}),
    (X, labels[:, 0], "binary", {"head": "knn"}),
    (X, labels, "multilabel", {"head": "ridge"}),
)
for rows, y, target, given in CASES:
    options = {"target": target, **given}
    # Once for what is imported and kept for good.
    probe(X[:200, :2], y[:200], folds=folds[:200], **options)
    try:
        probe(rows, y, folds=folds[: len(y)], memory=1, **options)
    except ProbeError as error:
        least = 1e6 * int(re.search(r"at least (\\d+)M", str(error))[1])
    # What earlier cases have freed must not serve this one.
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    open("/proc/self/clear_refs", "w").write("5")
    before = status("VmRSS")
    probe(rows, y, folds=folds[: len(y)], memory=least, **options)
    print(target, *given.values(), least, status("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of a process is read from Linux")
def test_the_least_is_what_is_needed_and_the_bound_is_held(repo: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(N), str(DIM)]
    # One thread: those that wait for each other on busy cores take most of the time.
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=repo, capture_output=True, text=True, check=True, env=one_thread)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 13
    for *_, least, peak in lines:
        assert 0.1 * float(least) < float(peak) < 1.2 * float(least), done.stdout


@pytest.mark.parametrize("engine", ["fast", "sklearn"])
def test_too_little_is_refused_in_one_line(engine: str) -> None:
    X, y, folds = np.eye(40), np.arange(40) // 2 % 2, np.arange(40) % 5
    message = (
        rf"^1 bytes of memory are too few: vectors of 40 x 40 need at least \d+M beside them with engine '{engine}'"
    )
    with pytest.raises(ProbeError, match=message):
        probe(X, y, target="binary", folds=folds, engine=engine, memory=1)
    assert probe(X, y, target="binary", folds=folds, engine=engine, memory=100e6).n == 40


def test_rows_of_a_table_are_checked_without_a_copy_and_only_those(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gene_eval.core.checks.CHECKED_AT_ONCE", 4)
    vectors = np.ones((6, 2))
    vectors[[1, 4]] = np.nan, np.inf
    table = VectorTable(vectors)
    check_X(table.rows(np.array([0, 2, 3, 5])))
    with pytest.raises(ProbeError, match=r"3 of 4 rows \(first: row 1\)"):
        check_X(table.rows(np.array([0, 4, 1, 4])))
    with pytest.raises(ProbeError, match=r"in 2 of 6 rows \(first: row 1\)"):
        check_X(vectors)
