"""`--shots` and `--curve`: results of few labels beside those of all."""

import numpy as np
import pytest

from builders import load
from gene_eval.core import UnknownNameError
from gene_eval.core.few_labels.draws import hash_rows
from gene_eval.core.few_labels.few_shot import few_shot
from gene_eval.errors import GeneBenchError
from gene_eval.results import store
from gene_eval.running.options import RunOptions

TASK, SMALL = "starter_is_tf", "random:dim=8"


def test_a_result_for_each_number_of_shots_and_head(go, tmp_path, starter_vectors):
    found = go(SMALL, [TASK], shots=[1, 4], head=["linear", "centroid"], predictions=True)
    files = {path.name for path in (tmp_path / "out").rglob("*.json")}
    assert files == {f"{TASK}@{head}shots={k}.json" for k in (1, 4) for head in ("", "head=centroid,")}
    result = next(each for each in found if each.settings.shots == 4 and each.settings.head == "linear")
    rows = load(TASK).dataset
    vectors = starter_vectors(SMALL)
    expected = few_shot(
        np.stack([vectors[symbol] for symbol in rows["symbol"]]),
        np.array(rows["label"]),
        k=4,
        target="binary",
        folds=np.array(rows["fold"]),
        hashes=hash_rows(rows["symbol"]),
    )
    assert result.scores["roc_auc"].folds == pytest.approx(expected.scores["roc_auc"].folds)
    assert result.draws["roc_auc"] == pytest.approx(expected.draws["roc_auc"])
    assert len(result.draws["roc_auc"]) == 20
    assert go(SMALL, [TASK], shots=[1, 4], predictions=True).up_to_date == 2


def test_too_few_examples_cost_that_cell(go):
    found = go(SMALL, [TASK, "starter_membrane_segments"], shots=[2, 500])
    assert found.fitted == 1
    reasons = [failure.reason for failure in found.failures]
    assert reasons[0].startswith("shots 500 needs 1000 examples of each class")
    assert reasons[1:] == [
        f"shots {k}: examples are drawn from classes, but the target is regression; leave shots out" for k in (2, 500)
    ]


def test_a_curve_stands_in_the_ordinary_result_and_is_read_again(go, tmp_path):
    plain = go(SMALL, [TASK]).results[0]
    result = go(SMALL, [TASK], curve=True).results[0]
    assert plain.curve == {}
    assert result.curve["share"] == [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0]
    assert result.curve["mean"][-1] == result.scores["roc_auc"].mean == plain.scores["roc_auc"].mean
    (saved,) = (tmp_path / "out").rglob(f"{TASK}.json")
    assert store.load(saved).curve == result.curve
    assert go(SMALL, [TASK], curve=True).up_to_date == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shots": 0}, "shots is 0, expected a whole number of examples of each class, 1 or above"),
        ({"shots": []}, "given as empty lists"),
        ({"shots": 2, "head": "knn"}, "unknown head for shots 'knn'"),
        ({"shots": 2, "curve": True}, "curve .* shots"),
    ],
)
def test_what_does_not_go_together_is_refused_before_any_work(options, message):
    with pytest.raises((GeneBenchError, UnknownNameError), match=message):
        RunOptions.of(options)
