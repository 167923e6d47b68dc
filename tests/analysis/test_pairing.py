"""Two models with vectors of different genes, compared on those that both have, against scikit-learn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_results import ENTITIES, SCORERS, by_fold, predicted, save_scored

import gene_eval
from gene_eval.analysis.pairing import Pair, Pairing
from gene_eval.analysis.tables import build
from gene_eval.results.records import Score
from gene_eval.results.store import load_folder

N = 600
KEPT = {"a": np.arange(N) < 450, "b": np.arange(N) >= 90, "c": np.arange(N) < 450}
SHARED = KEPT["a"] & KEPT["b"]
TASK = "hpa_1"


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("target", SCORERS)
def test_scores_are_made_again_on_the_genes_that_both_have(tmp_path: Path, target: str, entity: str) -> None:
    for model in ("a", "b"):
        save_scored(tmp_path, model, TASK, KEPT[model], target=target, entity=entity)
    folder = load_folder(tmp_path)
    pair = Pairing(folder.predictions).of(*folder.results)
    assert isinstance(pair, Pair)
    assert (pair.kind, pair.n, pair.is_counted) == ("shared", SHARED.sum(), True)
    for found, model in ((pair.first, "a"), (pair.second, "b")):
        assert found == pytest.approx(by_fold(target, predicted(model, TASK, target, N, 1.5), SHARED), abs=1e-6)


def test_compare_and_ranks_go_by_these_scores(tmp_path: Path) -> None:
    for model, noise in (("a", 0.3), ("b", 3.0), ("c", 1.0)):
        save_scored(tmp_path, model, TASK, KEPT[model], noise=noise)
    results = gene_eval.load_results(tmp_path)
    (task,) = results.compare("a", "b").comparison.tasks
    assert (task.kind, task.n_scored) == ("shared", SHARED.sum())
    for found, model, noise in ((task.mean_a, "a", 0.3), (task.mean_b, "b", 3.0)):
        expected = np.mean(by_fold("binary", predicted(model, TASK, "binary", N, noise), SHARED))
        assert found == pytest.approx(expected, abs=1e-6)
    assert results.compare("a", "b").warnings == (f"1 task compared on the entities that both models have ({TASK})",)
    assert "360 of 600" in str(results.compare("a", "b"))
    (table,) = results.report.tables
    assert table.pairs.keys() == {("a", "b", TASK), ("b", "c", TASK)}
    assert ("a", "b") in table.rankings[0].distinguished


def test_predictions_that_cannot_be_read_are_no_silent_way_out(tmp_path: Path) -> None:
    for model in ("a", "b"):
        save_scored(tmp_path, model, TASK, KEPT[model])
    (tmp_path / "a" / f"{TASK}.predictions.parquet").write_bytes(b"PAR1")
    folder = load_folder(tmp_path)
    reason = Pairing(folder.predictions).of(*folder.results)
    assert isinstance(reason, str)
    assert reason.startswith("no score on the entities that both have: cannot read predictions ")
    warning = gene_eval.load_results(tmp_path).warnings[-2]
    assert warning.startswith(f"not compared: a with b on {TASK}: no score on the entities that both have: cannot")


def test_a_pair_that_the_means_order_the_other_way_is_not_distinguished(tmp_path: Path) -> None:
    # b has the higher mean, on genes of its own that it knows by heart, and is worse on those that both have.
    save_scored(tmp_path, "a", TASK, KEPT["a"], noise=0.5)
    save_scored(tmp_path, "b", TASK, KEPT["b"], noise=3.0)
    found = load_folder(tmp_path)
    folds = (0.99, 0.98, 0.99, 0.99, 0.98)
    raised = replace(found.results[1], scores={"roc_auc": Score(float(np.mean(folds)), float(np.std(folds)), folds)})
    (table,) = build([found.results[0], raised], predictions=found.predictions).tables
    assert [each.model for each in table.rankings[0].models] == ["b", "a"]
    assert table.rankings[0].p_values["a", "b"] < 0.05
    assert table.rankings[0].distinguished == frozenset()
    assert [(each.low, each.high) for each in table.rankings[0].models] == [(1, 2), (1, 2)]
