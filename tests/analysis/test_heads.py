"""Heads as differences to the linear one, against a paired test by hand; never ranked."""

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import stats

from gene_eval.analysis.tables import build
from gene_eval.core.statistics.paired_tests import holm
from gene_eval.reporting.plots import save as plots
from gene_eval.reporting.text import to_csv, to_json, to_markdown
from gene_eval.results.records import TaskResult
from gene_eval.running.outcome import Results
from tests.analysis.made_results import made, with_settings

RNG = np.random.default_rng(4)
TASKS = [f"humantfs_{number}" for number in range(6)]


@pytest.fixture
def results() -> list[TaskResult]:
    found = []
    for model in ("one", "two"):
        for task in TASKS:
            folds = 0.8 + 0.03 * RNG.normal(size=5)
            found.append(made(model, task, folds.tolist()))
            other = made(model, task, (folds + 0.02 + 0.01 * RNG.normal(size=5)).tolist())
            found.append(with_settings(other, head="mlp"))
    return found


def test_the_difference_is_the_corrected_paired_test(results: list[TaskResult]) -> None:
    linear, mlp = build(results).tables
    assert (linear.settings.head, linear.to_linear) == ("linear", {})
    assert len(mlp.to_linear) == 12
    p_values = []
    for (model, task), found in mlp.to_linear.items():
        d = np.subtract(
            mlp.results[model, task].scores["roc_auc"].folds, linear.results[model, task].scores["roc_auc"].folds
        )
        error = math.sqrt((1 / 5 + 1 / 4) * d.var(ddof=1))
        p_values.append(2 * stats.t.sf(abs(d.mean()) / error, 4))
        assert found.test.difference == pytest.approx(d.mean())
        assert found.test.p_value == pytest.approx(p_values[-1])
        assert (found.test.low, found.test.high) == pytest.approx(
            (d.mean() - stats.t.ppf(0.975, 4) * error, d.mean() + stats.t.ppf(0.975, 4) * error)
        )
    assert [each.holm_p for each in mlp.to_linear.values()] == pytest.approx(holm(p_values))


def test_heads_are_not_ranked_but_ridge_on_numbers(results: list[TaskResult]) -> None:
    numbers = [made(model, "hpa_x", [0.1, 0.2, 0.1, 0.3, 0.2], target="regression") for model in ("one", "two")]
    ridge = [with_settings(each, head="ridge") for each in (*results[::2], *numbers)]
    linear, mlp, of_ridge = build([*results, *ridge]).tables
    assert linear.rankings
    assert (mlp.settings.head, mlp.rankings) == ("mlp", ())
    assert [group.name for group in of_ridge.rankings] == ["regression"]
    markdown = to_markdown(build(results))
    assert "### Ranks" in markdown.split("head mlp")[0]
    assert "### Ranks" not in markdown.split("head mlp")[1]


def test_every_form_has_the_same_numbers(results: list[TaskResult]) -> None:
    report = build(results)
    found = report.tables[1].to_linear["one", TASKS[0]]
    test = found.test
    assert (
        f"| {TASKS[0]} | one | roc_auc | {found.linear.mean:.3f} | {found.other.mean:.3f} | {test.difference:.3f} |"
        f" {test.low:z.3f} to {test.high:z.3f} | {test.p_value:.3f} | {found.holm_p:.3f} |"
    ) in to_markdown(report)
    written = list(csv.DictReader(io.StringIO(to_csv(report))))
    (row,) = [
        row
        for row in written
        if (row["model"], row["task"], row["head"], row["level"]) == ("one", TASKS[0], "mlp", "task")
    ]
    assert float(row["to_linear"]) == test.difference
    rows = json.loads(to_json(report))["tables"][1]["rows"]
    assert rows[0]["to_linear_p_holm"] == found.holm_p
    frame = Results(results).to_linear().set_index(["task", "model"])
    assert frame.loc[(TASKS[0], "one"), ["to_linear", "to_linear_low"]].tolist() == [test.difference, test.low]


def test_what_was_not_scored_alike_is_no_difference(results: list[TaskResult]) -> None:
    one, other = results[0], results[1]
    changes = (
        replace(other, model=replace(other.model, embedding_sha256="c" * 64)),
        replace(other, task=replace(other.task, folds_sha256="c" * 64)),
        replace(other, coverage=replace(other.coverage, scored_sha256="c" * 64)),
    )
    assert len(build([one, other]).tables[1].to_linear) == 1
    for changed in changes:
        assert build([one, changed]).tables[1].to_linear == {}


def test_the_picture_has_a_point_for_each_task_with_its_errors(results: list[TaskResult]) -> None:
    linear, mlp = build(results).tables
    figure = plots.figure(mlp, "heads")
    FigureCanvasAgg(figure).draw()
    assert len(figure.axes) == 2
    points = figure.axes[0].collections[-1].get_offsets()
    x, y = ([table.cells["one", task].mean for task in TASKS] for table in (linear, mlp))
    assert np.asarray(points) == pytest.approx(np.column_stack([x, y]))
    r = stats.pearsonr(x, y)
    assert any(f"r = {r.statistic:.2f}, p" in text.get_text() for text in figure.axes[0].texts)
    assert "heads" not in dict(plots.draw(linear))
    lone = build([result for result in results if result.settings.head == "mlp"]).tables[0]
    assert dict(plots.draw(lone))["heads"] == "no results of another head beside those of the linear one"
