import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from gene_eval.analysis.pairing import WITHOUT_PREDICTIONS
from gene_eval.analysis.tables import CONTROLS
from gene_eval.errors import ReportError
from gene_eval.reporting.controls import CONTROLS_NOTE
from gene_eval.reporting.rows import EXPLAINED, TO_LINEAR
from gene_eval.reporting.text import Cell, Mean, Report, build, rows, to_csv, to_json, to_markdown, to_text
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Score, Settings, TaskRecord, TaskResult
from model_adapters import describe

MAIN = {"binary": "roc_auc", "multilabel": "roc_auc_macro", "regression": "r2"}
TASKS = {
    "humantfs_is_tf": ("binary", "regulatory"),
    "hpa_interactions": ("regression", "regulatory"),
    "reactome_pathways": ("multilabel", "biological_process"),
    "starter_is_tf": ("binary", "regulatory"),
}


def _result(model: str, task: str, mean: float, **changes: object) -> TaskResult:
    target, family = TASKS[task]
    given = {"n": 100, "missing": 0, "protocol": "paper", "engine": "sklearn", "data": "d" * 64} | changes
    n, missing = int(str(given["n"])), int(str(given["missing"]))
    return TaskResult(
        TaskRecord(
            id=task,
            version="1.0.0",
            target=target,
            entity="gene",
            family=family,
            source=task.split("_")[0],
            n=n,
            data_sha256=str(given["data"]),
            fold_scheme="kfold",
            folds_sha256="f" * 64,
            ranked=not task.startswith("starter"),
        ),
        ModelRecord(model, None, "random" if model == "random" else "precomputed", 4, "e" * 64),
        ProbeRecord(Settings(str(given["protocol"]), str(given["engine"]), 0)),
        Coverage(n, n - missing, missing),
        dict.fromkeys(
            (MAIN[target], "spearman") if target == "regression" else (MAIN[target],),
            Score(mean, mean if math.isnan(mean) else 0.0125, (mean,)),
        ),
    )


@pytest.fixture
def results() -> list[TaskResult]:
    return [
        _result("random", "reactome_pathways", 0.5),
        _result("random", "humantfs_is_tf", 0.5),
        _result("random", "hpa_interactions", -0.1),
        _result("good", "reactome_pathways", 0.9),
        _result("good", "humantfs_is_tf", 0.8),
        _result("good", "hpa_interactions", 0.4),
        _result("a-poor-one", "reactome_pathways", 0.6),
        _result("a-poor-one", "humantfs_is_tf", 0.6),
        _result("a-poor-one", "hpa_interactions", 0.0),
        _result("good", "starter_is_tf", 1.0),
        _result("random", "starter_is_tf", 0.5),
    ]


def test_best_first_control_last_and_starter_in_no_mean(results: list[TaskResult]) -> None:
    (table,) = build(results).tables
    assert table.models == ("good", "a-poor-one", "random")
    assert table.controls == ("random",)
    assert [task.name for task in table.tasks] == [
        "hpa_interactions",
        "humantfs_is_tf",
        "reactome_pathways",
        "starter_is_tf",
    ]
    assert [task.metric for task in table.tasks] == ["r2", "roc_auc", "roc_auc_macro", "roc_auc"]
    assert table.groups == {
        "overall": ("humantfs_is_tf", "reactome_pathways"),
        "regulatory": ("humantfs_is_tf",),
        "biological_process": ("reactome_pathways",),
        "regression": ("hpa_interactions",),
    }
    assert table.cells["good", "humantfs_is_tf"] == Cell(0.8, 0.0125, 100, 0)
    assert table.means["good", "overall"] == Mean(pytest.approx(0.85), pytest.approx(0.05), 2)
    assert table.means["good", "regulatory"] == Mean(0.8, None, 1)
    assert table.means["good", "regression"] == Mean(0.4, None, 1)
    assert table.means["random", "biological_process"] == Mean(0.5, None, 1)
    assert table.warnings == ()


def test_the_order_of_results_does_not_matter(results: list[TaskResult]) -> None:
    assert to_markdown(build(results)) == to_markdown(build(results[::-1]))
    assert to_json(build(results)) == to_json(build(results[::-1]))


def test_a_model_without_every_task_has_no_mean_over_them(results: list[TaskResult]) -> None:
    failed = [one for one in results if (one.model.id, one.task.id) != ("good", "humantfs_is_tf")]
    undefined = [*failed, _result("good", "humantfs_is_tf", math.nan)]
    for given in (failed, undefined):
        (table,) = build(given).tables
        assert ("good", "overall") not in table.means
        assert ("good", "regulatory") not in table.means
        assert table.means["good", "biological_process"].mean == 0.9
        assert table.means["good", "regression"].mean == 0.4
        assert table.means["a-poor-one", "overall"].n_tasks == 2
        assert table.models == ("a-poor-one", "good", "random")
        assert table.warnings == (
            "good has no score on 1 of 3 tasks (humantfs_is_tf): no mean that includes them is shown for it",
        )
        assert "| good | – | – | 0.900 | 0.400 |" in to_markdown(build(given))
        assert "\n- Without a rank, overall (no score on one of its tasks): good.\n" in to_markdown(build(given))


def test_protocols_engines_and_seeds_never_share_a_table(results: list[TaskResult]) -> None:
    other = [
        _result("good", "humantfs_is_tf", 0.7, protocol="scaled"),
        _result("good", "humantfs_is_tf", 0.6, engine="fast"),
    ]
    report = build([*results, *other])
    assert [table.settings for table in report.tables] == [
        Settings("paper", "fast", 0),
        Settings("paper", "sklearn", 0),
        Settings("scaled", "sklearn", 0),
    ]
    assert [table.cells["good", "humantfs_is_tf"].mean for table in report.tables] == [0.6, 0.8, 0.7]
    assert to_markdown(report).count("## Results with protocol") == 3


def test_a_task_whose_rows_differ_takes_a_line_for_each(results: list[TaskResult]) -> None:
    changed = [one for one in results if (one.model.id, one.task.id) != ("good", "humantfs_is_tf")]
    (table,) = build([*changed, _result("good", "humantfs_is_tf", 0.8, data="0123456789")]).tables
    names = [task.name for task in table.tasks if task.name.startswith("humantfs")]
    assert names == [
        "humantfs_is_tf (version 1.0.0, data 01234567, folds ffffffff)",
        "humantfs_is_tf (version 1.0.0, data dddddddd, folds ffffffff)",
    ]
    groups = ("biological_process", "regression")
    assert table.means.keys() == {(model, group) for model in ("good", "a-poor-one", "random") for group in groups}
    assert [group.name for group in table.rankings] == list(groups)
    assert table.warnings[0] == (
        "humantfs_is_tf stands 2 times: its rows or folds differ between results; "
        "run it again for all models with --overwrite"
    )


def test_uneven_coverage_and_a_missing_control_are_said() -> None:
    report = build([_result("a", "humantfs_is_tf", 0.8, missing=30), _result("b", "humantfs_is_tf", 0.7)])
    uneven, apart, control = report.tables[0].warnings
    assert "humantfs_is_tf" in uneven
    assert "--common-genes" in uneven
    assert apart == f"not compared: a with b on humantfs_is_tf: {WITHOUT_PREDICTIONS}"
    assert "gene-bench run random" in control
    assert "| humantfs_is_tf | 100 | 70 (30 missing) | 100 (0 missing) |" in to_markdown(report)


def test_same_number_but_other_genes_is_said() -> None:
    first, second = _result("a", "humantfs_is_tf", 0.8), _result("random", "humantfs_is_tf", 0.5)
    pair = [replace(one, coverage=Coverage(100, 90, 10, (), sha)) for one, sha in ((first, "1"), (second, "2"))]
    warning, _ = build(pair).tables[0].warnings
    assert warning.startswith("models were scored on different genes on humantfs_is_tf")


def test_options_of_a_file_and_of_its_run_are_the_same() -> None:
    first, second = _result("a", "humantfs_is_tf", 0.7), _result("a", "reactome_pathways", 0.7)
    fresh = replace(first, model=replace(first.model, options={"parts": ({"id": "b", "adapter": "c"},)}))
    saved = replace(second, model=replace(second.model, options={"parts": [{"adapter": "c", "id": "b"}]}))
    (table,) = build([fresh, saved]).tables
    assert not any("different revisions or options" in line for line in table.warnings)


def test_one_model_of_two_revisions_is_said(results: list[TaskResult]) -> None:
    changed = [
        replace(one, model=replace(one.model, revision="new"))
        if (one.model.id, one.task.id) == ("good", "humantfs_is_tf")
        else one
        for one in results
    ]
    assert build(changed).tables[0].warnings == (
        "good has results of 2 different revisions or options in one column; run it again with --overwrite",
    )


def test_markdown(results: list[TaskResult]) -> None:
    text = to_markdown(build(results, problems=["cannot read result x.json"]))
    assert text == (
        "# gene-bench report\n"
        "\n"
        "## Results with protocol paper, engine sklearn, seed 0\n"
        "\n"
        "### Means over tasks\n"
        "\n"
        "| model | overall (2 tasks) | regulatory (1 task) | biological_process (1 task) | regression (1 task) |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| good | 0.850 ± 0.050 | 0.800 | 0.900 | 0.400 |\n"
        "| a-poor-one | 0.600 ± 0.000 | 0.600 | 0.600 | 0.000 |\n"
        "| random (control) | 0.500 ± 0.000 | 0.500 | 0.500 | -0.100 |\n"
        "\n"
        "Mean ± standard deviation over tasks: ROC-AUC, and Spearman's rank correlation for regression, which is in no "
        "other mean.\n"
        "\n"
        "### Ranks\n"
        "\n"
        "| model | mean over 2 tasks ▼ | overall (2 tasks) | regulatory (1 task) "
        "| biological_process (1 task) | regression (1 task) |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| good | 0.850 | 1 | 1 | 1 | 1 |\n"
        "| a-poor-one | 0.600 | 2 | 2 | 2 | 2 |\n"
        "| random (control) | 0.500 | 3 | 3 | 3 | 3 |\n"
        "\n"
        "▼ orders the rows. Rank by mean, with its simultaneous 95 % interval: from the number of models that differ "
        "(Holm-adjusted, all pairs). Over sources, every source counts once, by the mean of its tasks; over tasks, "
        "ranks are about these tasks only, and models differ only where all of them point the same way.\n"
        "- Not distinguished, overall (p of 0.05 or more, Holm-adjusted): good, a-poor-one, random.\n"
        "- Not distinguished, regression (p of 0.05 or more, Holm-adjusted): good, a-poor-one, random.\n"
        "\n"
        "### Tasks\n"
        "\n"
        "| task | family | metric | n | good | a-poor-one | random (control) |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| hpa_interactions | regulatory | r2 | 100 | 0.400 ± 0.013 | 0.000 ± 0.013 | -0.100 ± 0.013 |\n"
        "| humantfs_is_tf | regulatory | roc_auc | 100 | 0.800 ± 0.013 | 0.600 ± 0.013 | 0.500 ± 0.013 |\n"
        "| reactome_pathways | biological_process | roc_auc_macro | 100 "
        "| 0.900 ± 0.013 | 0.600 ± 0.013 | 0.500 ± 0.013 |\n"
        "| starter_is_tf \\* | regulatory | roc_auc | 100 | 1.000 ± 0.013 | – | 0.500 ± 0.013 |\n"
        "\n"
        "±: standard deviation, of a task over folds and of a mean over tasks; no error of the mean.\n"
        "\n"
        "– not run, failed, or undefined in every fold.\n"
        "\n"
        "\\* in no mean and no ranking. starter_is_tf: marked as such in docs/tasks.md.\n"
        "\n"
        "### Ranks on each task\n"
        "\n"
        "| task | metric | planned detectable | detectable | good | a-poor-one | random (control) |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| hpa_interactions | spearman | – | – | 1 | 2 | 3 |\n"
        "| humantfs_is_tf | roc_auc | – | – | 1 | 2 | 3 |\n"
        "| reactome_pathways | roc_auc_macro | – | – | 1 | 2 | 3 |\n"
        "| starter_is_tf \\* | roc_auc | – | – | 1 | – | 2 |\n"
        "\n"
        "Rank with its simultaneous 95 % interval: all pairs of models on the task, Holm-adjusted, each task by "
        "itself. Detectable: the true difference that is found with a chance of 80 %; planned from class sizes before "
        "any model, and from the errors of all pairs.\n"
        "\n"
        "### Beside the controls\n"
        "\n"
        "| task | metric | best control | its score | detectable | good | a-poor-one |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| hpa_interactions | spearman | random | -0.100 | – | 0.400 | 0.000 |\n"
        "| humantfs_is_tf | roc_auc | random | 0.500 | – | 0.800 (0.600) | 0.600 (0.200) |\n"
        "| reactome_pathways | roc_auc_macro | random | 0.500 | – | 0.900 (0.800) | 0.600 (0.200) |\n"
        "| starter_is_tf | roc_auc | random | 0.500 | – | 1.000 (1.000) | – |\n"
        "\n"
        f"{CONTROLS_NOTE}\n"
        "\n"
        "### Coverage\n"
        "\n"
        "Every model was scored on every entity of its tasks.\n"
        "\n"
        "## Files left out\n"
        "\n"
        "- cannot read result x.json\n"
    )


def test_text_is_aligned(results: list[TaskResult]) -> None:
    lines = to_text(build([one for one in results if one.task.id == "starter_is_tf"])).splitlines()
    assert lines == [
        "protocol paper, engine sklearn, seed 0",
        "",
        "task             family      metric   n    good           random (control)",
        "starter_is_tf *  regulatory  roc_auc  100  1.000 ± 0.013  0.500 ± 0.013",
        "",
        "task           metric   best control  its score  detectable  good",
        "starter_is_tf  roc_auc  random        0.500      –           1.000 (1.000)",
        "",
        "±: standard deviation, of a task over folds and of a mean over tasks; no error of the mean.",
        "",
        "* in no mean and no ranking. starter_is_tf: marked as such in docs/tasks.md.",
    ]


def test_csv_has_a_row_for_every_task_and_model(results: list[TaskResult]) -> None:
    read = list(csv.DictReader(io.StringIO(to_csv(build(results)))))
    assert [row["level"] for row in read] == ["task"] * 4 * 3 + ["family"] * 4 * 3
    means = {(row["model"], row["family"]): row for row in read if row["level"] == "family"}
    overall = means["good", "overall"]
    assert (overall["metric"], float(overall["mean"]), float(overall["std"])) == (
        "roc_auc", pytest.approx(0.85), pytest.approx(0.05),
    )  # fmt: skip
    assert (overall["task"], overall["n_task"]) == ("", "")
    assert [means["random", "regression"][name] for name in ("metric", "mean", "std")] == ["spearman", "-0.1", ""]
    found = {(row["task"], row["model"]): row for row in read}
    assert found["starter_is_tf", "a-poor-one"]["mean"] == ""
    assert found["hpa_interactions", "random"] == {
        "protocol": "paper",
        "engine": "sklearn",
        "seed": "0",
        "split": "random",
        "head": "linear",
        "shots": "",
        "entities": "all",
        "level": "task",
        "task": "hpa_interactions",
        "label": "",
        "family": "regulatory",
        "target": "regression",
        "is_ranked": "True",
        "model": "random",
        "is_control": "True",
        "metric": "r2",
        "mean": "-0.1",
        "std": "0.0125",
        "n_task": "100",
        "n_scored": "100",
        "n_missing": "0",
        "to_random": "",
        "best_control": "random",
        "control_metric": "spearman",
        "best_control_mean": "-0.1",
        "detectable": "",
        "rescaled": "",
        "is_near_control": "",
        **dict.fromkeys((*EXPLAINED, *TO_LINEAR), ""),
    }


def test_json(results: list[TaskResult]) -> None:
    report = build(results, problems=["one"])
    content = json.loads(to_json(report))
    assert content["problems"] == ["one"]
    (table,) = content["tables"]
    assert table["settings"] == asdict(Settings("paper", "sklearn", 0))
    assert table["rows"] == rows(report.tables[0])
    assert {"model": "random", "family": "regression", "mean": -0.1, "std": None, "n_tasks": 1} in table["means"]
    assert table["groups"]["overall"] == ["humantfs_is_tf", "reactome_pathways"]
    assert table["rankings"][0]["basis"] == "2 tasks"
    assert table["rankings"][0]["models"][0] == {
        "model": "good",
        "mean": pytest.approx(0.85),
        "rank": 1,
        "low": None,
        "high": None,
        "std_error": None,
    }


@pytest.mark.parametrize("render", [to_markdown, to_text])
def test_names_of_others_stay_text(render: Callable[[Report], str]) -> None:
    text = render(build([_result("a|b\n<script>\x1b[2J", "humantfs_is_tf", 0.5)]))
    assert "\x1b" not in text
    assert "\n<script>" not in text
    if render is to_markdown:
        assert "a\\|b \\<script\\> \\[2J" in text


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" -2", "' -2"),
        ("+1", "'+1"),
        ("a\x1b[2J", "a [2J"),
        ("a-b", "a-b"),
    ],
)
def test_a_spreadsheet_takes_no_name_for_a_formula(name: str, written: str) -> None:
    read = list(csv.DictReader(io.StringIO(to_csv(build([_result(name, "hpa_interactions", -0.5)])))))
    assert {row["model"] for row in read} == {written}
    # Numbers stay numbers.
    assert read[0]["mean"] == "-0.5"


def test_nothing_to_report() -> None:
    with pytest.raises(ReportError, match="no results to report; make some with: gene-bench run"):
        build([])


def test_two_results_for_one_cell(results: list[TaskResult]) -> None:
    with pytest.raises(ReportError, match="two results of good on humantfs_is_tf with protocol paper"):
        build([*results, _result("good", "humantfs_is_tf", 0.7)])


def test_pairs_made_in_different_ways_are_said(results: list[TaskResult]) -> None:
    changed = [
        replace(one, probe=replace(one.probe, params={"pairs": "concat"}))
        if (one.model.id, one.task.id) == ("good", "humantfs_is_tf")
        else one
        for one in results
    ]
    (warning,) = build(changed).tables[0].warnings
    assert warning == (
        "vectors of pairs were made in different ways (--pairs) on humantfs_is_tf; run all models the same way"
    )


def test_controls_are_the_adapters_that_call_themselves_so() -> None:
    assert set(CONTROLS) == {name for name, info in describe().items() if info.family == "control"}


def test_what_was_scored_stands_beside_n_and_little_is_marked() -> None:
    few = _result("a", "humantfs_is_tf", 0.7, n=2760, missing=2315)
    text = to_text(build([few, _result("b", "humantfs_is_tf", 0.7, n=2760)]))
    assert "humantfs_is_tf ‡  regulatory  roc_auc  445-2760 of 2760" in text
    assert "‡ less than 90% of the entities were scored, for one of the models at least." in text
    text = to_text(build([_result("a", "humantfs_is_tf", 0.7, n=44, missing=23)]))
    assert "humantfs_is_tf † ‡  regulatory  roc_auc  21 of 44" in text
    assert "† fewer than 30 entities scored, or fewer than 5 of the rarer class" in text


def test_zero_has_no_sign() -> None:
    text = to_text(build([_result("a", "hpa_interactions", -0.0001)]))
    assert "0.000 ± 0.013" in text
    assert "-0.000" not in text


def test_a_source_far_smaller_than_the_papers_is_said(results: list[TaskResult]) -> None:
    pathways = results[0]
    small = replace(pathways, task=replace(pathways.task, audit={"n": 100, "paper_n": 10_969}))
    (warning,) = [line for line in build([small]).tables[0].warnings if line.startswith("far fewer entities")]
    assert warning == (
        "far fewer entities than in the paper: reactome_pathways (100 of 10,969); are the source's files complete?"
    )
