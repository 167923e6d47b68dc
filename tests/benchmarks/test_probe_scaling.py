"""The benchmark of growth: what it makes, how it judges, what it writes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks import probe_scaling
from benchmarks.probe_scaling import BASE, Size, exponent, main, make_labels, make_vectors
from gene_eval.core import default_folds, probe

SMALL = {"labels": (2, 3, 4), "genes": (300, 400, 500), "dims": (64, 80, 96), "models": (1, 2, 3)}


def test_vectors_know_the_labels_more_or_less():
    factors, y = make_labels(Size(labels=4, genes=900, dims=80, models=1))
    assert y.mean(axis=0).min() > 0.025
    assert y.mean(axis=0).max() < 0.205
    X = make_vectors(factors, 80, model=0)
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 8, rtol=1e-5)
    spectrum = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    assert spectrum[0] > 5 * spectrum[40]
    found = probe(X, y, target="multilabel", folds=default_folds(y, target="multilabel"))
    assert 0.6 < found.scores["roc_auc_macro"].mean < 0.95


def test_the_exponent_is_that_of_the_last_three_points():
    assert exponent([1, 2, 4, 8], [100, 8, 32, 128]) == pytest.approx(2)
    dims = [512, 1024, 2048]
    bound = [replace(BASE, dims=d).bound("dims") for d in dims]
    # d^2 (n + d) with n = 10,000
    assert exponent(dims, bound) == pytest.approx(2 + np.log(12_048 / 10_512) / np.log(4))


def test_every_axis_is_written_and_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(probe_scaling, "AXES", SMALL)
    monkeypatch.setattr(probe_scaling, "BASE", Size(labels=2, genes=300, dims=64, models=1))
    monkeypatch.setattr(probe_scaling, "REPEATS", 1)
    main(["-o", str(tmp_path)])
    table = pd.read_csv(tmp_path / "scaling.csv")
    assert {axis: tuple(rows[axis]) for axis, rows in table.groupby("axis")} == SMALL
    assert (table["seconds"] >= table["solve"]).all()
    assert (table[["passes", "gflops"]] > 0).all(axis=None)
    assert not table["unconverged"].any()
    picture = (tmp_path / "scaling.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 100_000
