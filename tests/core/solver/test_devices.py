"""The fast engine on every device that is here: the same scores as scikit-learn."""

import os

import numpy as np
import pytest
import torch

from gene_eval.core import default_folds, probe

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def test_a_machine_that_should_have_a_gpu_has_one() -> None:
    if not os.environ.get("REQUIRE_GPU"):
        pytest.skip("REQUIRE_GPU is not set: no GPU is promised here")
    assert torch.cuda.is_available()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("target", ["binary", "multiclass", "multilabel", "regression"])
def test_scores_are_those_of_scikit_learn(device: str, target: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 24)).astype("float32")
    signal = X[:, :4] + rng.normal(size=(200, 4))
    labels = {
        "binary": (signal[:, 0] > 0.3).astype(int),
        "multiclass": signal[:, :3].argmax(1),
        "multilabel": (signal > 0.5).astype(int),
        "regression": signal[:, 0].astype(float),
    }
    y = labels[target]
    folds = default_folds(y, target=target)
    found = probe(X, y, target=target, folds=folds, engine="fast", device=device)
    expected = probe(X, y, target=target, folds=folds, engine="sklearn")
    assert found.scores.keys() == expected.scores.keys()
    for metric, score in expected.scores.items():
        assert found.scores[metric].folds == pytest.approx(score.folds, abs=1e-3), metric
