"""Further tables of a report, from results of a small run."""

from dataclasses import replace

import pytest

from gene_eval.analysis.tables import build
from gene_eval.errors import ReportError
from gene_eval.reporting.appendix import appendix, published_grid
from gene_eval.reporting.text import to_markdown, to_published
from gene_eval.running.runner import run

TASKS = ["starter_is_tf", "starter_location"]


@pytest.fixture(scope="module")
def plain():
    return list(run("random:dim=8", TASKS, curve=True, log=[].append))


def grids(results):
    return {title: grid for table in build(results).tables for title, _, grid in appendix(table)}


def test_scores_as_published_stand_beside_ours(plain):
    (table,) = build(plain).tables
    grid = published_grid(table)
    for line in grid[1:]:
        result = table.results[line[1], line[0]]
        suffix = "" if line[0] == "starter_is_tf" else "_weighted"
        expected = [
            scores[f"{name}{suffix}"].mean
            for name in ("roc_auc", "f1")
            for scores in (result.scores, result.as_published)
        ]
        assert line[2:6] == [f"{value:.3f}" for value in expected]
    assert [line[6] == "–" for line in grid[1:]] == [line[0] == "starter_is_tf" for line in grid[1:]]
    assert "predicted labels, 0 or 1" in to_published(build(plain))


def test_results_of_other_protocols_have_none(plain):
    bare = [replace(result, as_published={}) for result in plain]
    with pytest.raises(ReportError, match="no result here has scores as published"):
        to_published(build(bare))


def test_a_curve_has_a_line_for_each_task(plain):
    curve = grids(plain)["Learning curves"]
    assert curve[0] == ["task", "model", "metric", "0.0625", "0.125", "0.25", "0.5", "1", "area"]
    of_tf = next(line for line in curve if line[0] == "starter_is_tf")
    result = next(each for each in plain if each.task.id == "starter_is_tf")
    assert of_tf[7] == f"{result.scores['roc_auc'].mean:.3f}"
    assert of_tf[8] == f"{result.curve['area']:.3f}"


def test_annotated_labels_show_what_hidden_positives_would_change(plain):
    binary = next(each for each in plain if each.task.id == "starter_is_tf")
    score = binary.scores["average_precision"]
    extra = dict.fromkeys(("average_precision_lift", "recall_at_1_percent", "recall_at_5_percent"), score)
    auc = replace(binary.scores["roc_auc"], mean=0.86)
    made = replace(binary, scores={**binary.scores, **extra, "roc_auc": auc})
    (heading, line) = grids([made])["Annotated labels"]
    assert heading[-3:] == ["AUC, 5% hidden", "AUC, 10% hidden", "AUC, 20% hidden"]
    # (0.86 - 0.05) / 0.9
    assert line[-2] == "0.900"
    assert "Annotated labels" not in grids(plain)


def test_few_labels_show_the_spread_over_draws():
    results = list(run("random:dim=8", "starter_is_tf", shots=[1, 4], head=["linear", "centroid"], log=[].append))
    report = build(results)
    assert [(table.settings.head, table.settings.shots) for table in report.tables] == [
        ("linear", 1),
        ("linear", 4),
        ("centroid", 1),
        ("centroid", 4),
    ]
    assert to_markdown(report).count("### Few labels") == 4
