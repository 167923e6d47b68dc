"""`--head`: the same folds and files, another head."""

import pytest
from sklearn.linear_model import LogisticRegression

from gene_eval.core import UnknownNameError
from gene_eval.results import store
from gene_eval.running.options import RunOptions

TASK, SMALL = "starter_is_tf", "random:dim=8"
HEAD = """
from sklearn.linear_model import LogisticRegression
class Mine(LogisticRegression):
    def fit(self, X, y):
        {body}
        return super().fit(X, y)
"""


def test_heads_are_saved_side_by_side_and_read_again(go, tmp_path):
    go(SMALL, [TASK])
    found = go(SMALL, [TASK], head="ridge")
    files = sorted(path.name for path in (tmp_path / "out").rglob("*.json"))
    assert files == [f"{TASK}.json", f"{TASK}@head=ridge.json"]
    (result,) = found
    assert store.load(next((tmp_path / "out").rglob("*ridge.json"))).settings.head == result.settings.head == "ridge"
    assert result.probe.params["C_chosen"]
    assert go(SMALL, [TASK], head="ridge").up_to_date == 1


def test_an_object_is_the_head_and_its_parameters_are_in_the_name(go):
    one, two = (go(SMALL, [TASK], head=LogisticRegression(C=C)) for C in (0.5, 1.0))
    heads = [found.results[0].settings.head.partition(":")[2] for found in (one, two)]
    assert heads == ["LogisticRegression(C=0.5)", "LogisticRegression"]
    assert two.up_to_date == 0


def test_a_users_head_that_fails_costs_its_cells_and_an_edited_one_is_fitted_again(go, tmp_path, log):
    file = tmp_path / "mine.py"
    file.write_text(HEAD.format(body="raise KeyError('no such layer')"), encoding="utf-8")
    failed = go(SMALL, [TASK, "starter_location"], head=f"{file}:Mine")
    assert [failure.reason for failure in failed.failures] == ["KeyError: 'no such layer' (mine.py, line 5)"] * 2
    file.write_text(HEAD.format(body="pass"), encoding="utf-8")
    assert go(SMALL, [TASK], head=f"{file}:Mine").fitted == 1
    assert go(SMALL, [TASK], head=f"{file}:Mine").up_to_date == 1
    file.write_text(HEAD.format(body="self.C = 0.01"), encoding="utf-8")
    assert go(SMALL, [TASK], head=f"{file}:Mine").fitted == 1


def test_a_head_that_does_not_exist_is_refused_before_any_work():
    with pytest.raises(UnknownNameError, match="unknown head 'kn': did you mean 'knn'"):
        RunOptions(head="kn")
