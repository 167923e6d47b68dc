"""GENEB's submission and tables of published scores: written, read, refused."""

import csv
import json

import numpy as np
import pytest

from builders.sources.geneb.table import ROWS
from gene_eval.errors import ResultError
from gene_eval.publishing.geneb.importing import category_sizes, read_scores
from gene_eval.publishing.geneb.published_models import PARAMETERS, parameters_of
from gene_eval.publishing.geneb.submission import (
    METRICS,
    REGIMES,
    check_submission,
    make_submission,
    tasks_by_upstream_id,
)
from gene_eval.results import store


def submission(model="org/some-model", seed=0):
    rng = np.random.default_rng(seed)
    rows = {
        regime: {
            task: {name: round(float(rng.uniform(0, 1)), 4) for name in METRICS} for task in tasks_by_upstream_id()
        }
        for regime in REGIMES
    }
    meta = {"display": "Some", "params": 117000000, "url": "", "zero_shot": True, "provenance": "reproduced"}
    return {"schema_version": "1.0", "model_id": model, "harness_version": "1", "meta": meta, "results": rows}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "org_some-model.json"
    path.write_text(json.dumps(submission()))
    return path


def test_what_is_read_is_written_again(path, tmp_path):
    results = read_scores(path)
    assert len(results) == 300
    one = results[0]
    assert one.imported["file"] == path.name
    assert one.scores["mcc"].folds == ()
    assert (one.model.adapter, one.model.options["params"]) == ("imported", 117000000)
    assert {result.settings.shots for result in results} == {None, 10, 1}
    for result in results[:5]:
        saved = store.save(result, tmp_path / "out")
        assert store.load(saved).to_json() == result.to_json()
    made = make_submission(
        results, "org/some-model", params=117000000, zero_shot=True, provenance="reproduced", display="Some"
    )
    expected = submission()
    assert made.missing == ()
    assert made.content["results"] == expected["results"]
    assert {name: made.content["meta"][name] for name in expected["meta"]} == expected["meta"]
    check_submission(json.loads(made.to_json()))


def test_what_is_missing_is_said(path):
    results = [result for result in read_scores(path) if result.settings.shots is None][:97]
    made = make_submission(results, "org/some-model")
    assert (made.n_scores, len(made.missing)) == (97, 203)
    with pytest.raises(ResultError, match="no result of other on a task under protocol geneb"):
        make_submission(results, "other")


def changed(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


TASK = "leannmlindsey_GUE_human_tf_0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(schema_version="2.0"), "schema_version '2.0', expected '1.0'"),
        (lambda c: c.pop("schema_version"), "is not a GENEB submission"),
        (lambda c: c["results"].update(half={}), "regime 'half'; expected full, 10shot, 1shot"),
        (lambda c: c["results"]["full"].update(human_tf_0={"MCC": 0}), "full: unknown task 'human_tf_0'"),
        (lambda c: c["results"]["full"][TASK].update(MCC=1.5), f"full, {TASK}: MCC is 1.5, expected -1 to 1"),
        (lambda c: c["results"]["full"][TASK].update(Acc=-0.1), f"full, {TASK}: Acc is -0.1, expected 0 to 1"),
        (lambda c: c["meta"].update(params=-1), "meta.params is -1, expected a whole number, 0 or above"),
        (lambda c: c["meta"].update(provenance="mine"), "meta.provenance is 'mine', expected one of official"),
        (lambda c: c.update(model_id=""), "model_id is '', expected a name"),
    ],
)
def test_another_form_is_one_line(path, change, message):
    with pytest.raises(ResultError) as error:
        read_scores(changed(path, change))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def table(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "task", "regime", "metric", "value", "sd"])
        writer.writerows(rows)
    return path


def test_a_table_of_means_of_categories(tmp_path):
    sizes = category_sizes()
    assert (sum(sizes.values()), len(sizes)) == (100, 13)
    values = {name: 0.01 * number for number, name in enumerate(sizes)}
    rows = [["GROVER", f"category:{name}", "full", "MCC", value, ""] for name, value in values.items()]
    macro, micro = np.mean(list(values.values())), sum(values[name] * n for name, n in sizes.items()) / 100
    rows += [["GROVER", "macro", "full", "MCC", macro, ""], ["GROVER", "micro", "full", "MCC", micro, ""]]
    rows.append(["GROVER", TASK, "10shot", "MCC", 0.25, 0.05])
    results = read_scores(table(tmp_path / "results.csv", rows))
    assert len(results) == 14
    of_task = next(result for result in results if result.task.entity == "sequence")
    assert (of_task.scores["mcc"].mean, of_task.scores["mcc"].std, of_task.settings.shots) == (0.25, 0.05, 10)
    assert of_task.model.options["params"] == PARAMETERS["GROVER"]
    rows[13][4] = macro + 0.01
    with pytest.raises(ResultError, match="macro of GROVER .* but its categories give") as error:
        read_scores(table(tmp_path / "results.csv", rows))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["m", "no_task", "full", "MCC", "0.1", ""], "line 2: unknown task 'no_task'"),
        (["m", TASK, "5shot", "MCC", "0.1", ""], "line 2: unknown regime '5shot'"),
        (["m", TASK, "full", "AUC", "0.1", ""], "line 2: unknown metric 'AUC'"),
        (["m", TASK, "full", "MCC", "high", ""], "line 2: value is 'high', expected a number"),
        (["m", TASK, "full", "MCC", "2", ""], "line 2: MCC is 2, expected -1 to 1"),
        (["", TASK, "full", "MCC", "0.1", ""], "line 2: no model"),
        (["other", TASK, "full", "MCC", "0.1", ""], "line 3: MCC of other is also on line 2"),
    ],
)
def test_rows_that_are_no_scores(tmp_path, row, message):
    with pytest.raises(ResultError, match=message):
        read_scores(table(tmp_path / "t.csv", [row, ["other", TASK, "full", "MCC", "0.2", ""]]))


def test_another_table(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ResultError, match="has a, b; expected a table with model, task, regime, metric, value"):
        read_scores(tmp_path / "t.csv")
    with pytest.raises(ResultError, match="cannot read .*none.csv: No such file"):
        read_scores(tmp_path / "none.csv")


def test_models_are_known_by_any_of_their_names():
    assert len(PARAMETERS) == 40
    assert parameters_of("zhihan1996/DNABERT-S") == parameters_of("dnabert-s") == PARAMETERS["DNABERT-S"]
    assert sum(len(rows) for rows in ROWS.values()) == len(tasks_by_upstream_id())
