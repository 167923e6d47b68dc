"""Runs into a folder of their own, vectors files, and scores compared with the probe's."""

import numpy as np
import pandas as pd
import pytest

from builders import load
from gene_eval.running.runner import run
from model_adapters import as_matrix, embed, load_model


class Log(list):
    def __call__(self, line):
        self.append(line)

    @property
    def text(self):
        return "\n".join(self)


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def go(tmp_path, log):
    """Run models on tasks and return the results; files go to `tmp_path / "out"`."""

    def go(models, patterns, **options):
        return run(models, patterns, log=log, **{"out": tmp_path / "out", **options})

    return go


@pytest.fixture(scope="session")
def assert_scores():
    def assert_scores(saved, direct):
        assert saved.keys() == direct.keys()
        for metric, score in direct.items():
            folds = [np.nan if fold is None else fold for fold in saved[metric].folds]
            np.testing.assert_allclose(folds, score.folds, err_msg=metric, rtol=0, atol=1e-12)
            np.testing.assert_allclose(
                np.nan if saved[metric].mean is None else saved[metric].mean, score.mean, atol=1e-12
            )

    return assert_scores


@pytest.fixture(scope="session")
def write_vectors():
    def write_vectors(path, symbols, *, seed=0, dim=6):
        rng = np.random.default_rng(seed)
        table = pd.DataFrame(rng.normal(size=(len(symbols), dim)), columns=[f"d{i}" for i in range(dim)])
        table.insert(0, "symbol", symbols)
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, index=False)
        return {
            symbol: row.astype(np.float32) for symbol, row in zip(symbols, table.iloc[:, 1:].to_numpy(), strict=True)
        }

    return write_vectors


@pytest.fixture(scope="session")
def starter_vectors():
    def starter_vectors(spec):
        symbols, matrix = as_matrix(embed(load("starter_genes").dataset, load_model(spec)))
        return dict(zip(symbols, matrix, strict=True))

    return starter_vectors
