"""The table of models side by side: what it is of, and the floor that is made for it."""

import pickle

import numpy as np

from benchmarks.compare_models import MADE, SEED, SPREAD, TASKS, geneformer
from builders import configs
from gene_eval.analysis.groups import FAMILIES
from model_adapters import as_matrix, load_model


def test_ten_ranked_tasks_of_every_family_and_target():
    chosen = [configs()[name] for name in TASKS]
    assert len(set(TASKS)) == 10
    assert all(task.ranked for task in chosen)
    assert {task.family for task in chosen} == set(FAMILIES)
    assert {task.target for task in chosen} == {"binary", "multiclass", "multilabel", "regression"}


def test_made_weights_are_those_of_the_seed_by_the_real_dictionary(tmp_path):
    dictionary = tmp_path / "token_dictionary.pkl"
    dictionary.write_bytes(pickle.dumps({"<pad>": 0, "<mask>": 1, "ENSG00000141510": 3, "ENSG00000254647": 2}))
    model = load_model(geneformer(tmp_path / MADE, dictionary))
    assert model.model_id == "Geneformer-made-weights"
    symbols, vectors = as_matrix(model.table())
    numbers = np.random.default_rng(SEED).normal(0, SPREAD, (4, 256)).astype(np.float32)
    assert symbols == ["ENSG00000141510", "ENSG00000254647"]
    np.testing.assert_array_equal(vectors, numbers[[3, 2]])
