"""One folder, read as text, CSV, JSON, comparison, card, page and in Python: the same numbers and verdicts."""

import csv
import io
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from made_results import save_scored

import gene_eval
from gene_eval.core.statistics.paired_tests import holm
from gene_eval.publishing.cards import make_card
from gene_eval.reporting import text
from gene_eval.reporting.page.data import page_data
from gene_eval.running.outcome import Results

N = 300
ALL, THIRD, MOST = np.ones(N, dtype=bool), np.arange(N) < 100, np.arange(N) != 7
MODELS = {"good": (ALL, 0.8), "fair": (MOST, 1.5), "third": (THIRD, 0.8), "poor": (ALL, 4.0)}
TASKS = ("hpa_1", "hpa_2", "reactome_1", "humantfs_1", "uniprot_1", "genecorpus_1", "gene2vec_1")
TINY = "hgnc_1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four models on eight tasks of seven sources: one with a third of the genes, one without a gene; a tiny task."""
    root = tmp_path_factory.mktemp("one-answer")
    for model, (kept, noise) in MODELS.items():
        for task in TASKS:
            save_scored(root, model, task, kept, noise=noise)
        save_scored(root, model, TINY, kept[:25], noise=noise)
    return root


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return gene_eval.load_results(folder)


def test_the_same_number_of_genes_everywhere(results: Results) -> None:
    report = results.report
    scored = {
        (result.model.id, result.task.id): (result.coverage.n_scored, result.coverage.n_task) for result in results
    }
    assert scored["third", "hpa_1"] == (100, 300)
    assert scored["fair", "hpa_1"] == (299, 300)
    assert scored["good", TINY] == (25, 25)
    for row in csv.DictReader(io.StringIO(text.to_csv(report))):
        if row["level"] == "task":
            assert (int(row["n_scored"]), int(row["n_task"])) == scored[row["model"], row["task"]]
    (table,) = page_data(report)["tables"]
    for each in table["results"]:
        task = table["tasks"][each["t"]]
        assert (each["n"][0], task["n"]) == scored[table["models"][each["m"]]["id"], task["id"]]
    line = next(line for line in text.to_markdown(report).splitlines() if line.startswith("| hpa_1 ‡ |"))
    assert "| 100-300 of 300 |" in line
    for model in MODELS:
        section = make_card(results.results, model).section
        for task in (*TASKS, TINY):
            (line,) = [line for line in section.splitlines() if line.startswith(f"| {task}")]
            assert line.endswith("| {} of {} |".format(*scored[model, task]))


def test_the_same_ranks_and_ties_everywhere(results: Results) -> None:
    report = results.report
    (table,) = report.tables
    frame = results.rank()
    in_json = json.loads(text.to_json(report))["tables"][0]
    in_page = page_data(report)["tables"][0]
    assert [group.name for group in table.rankings if TINY in group.tasks] == []
    for group, facts in zip(table.rankings, in_json["rankings"], strict=True):
        expected = {each.model: (each.rank, each.low, each.high) for each in group.models}
        assert {each["model"]: (each["rank"], each["low"], each["high"]) for each in facts["models"]} == expected
        rows = frame[frame["group"] == group.name]
        assert (
            dict(zip(rows["model"], zip(rows["rank"], rows["low"], rows["high"], strict=True), strict=True)) == expected
        )
        (shown,) = [each for each in in_page["groups"] if each["name"] == group.name]
        ids = [each["id"] for each in in_page["models"]]
        assert {model: tuple(rank[:3]) for model, rank in zip(ids, shown["ranks"], strict=True) if rank} == expected
        assert [[ids[number] for number in run] for run in shown["ties"]] == [list(run) for run in group.ties]
    markdown = text.to_markdown(report)
    for each in table.rankings[0].models:
        assert f"{each.rank} ({each.low}–{each.high})" in next(
            line for line in markdown.split("### Ranks")[1].splitlines() if line.startswith(f"| {each.model} ")
        )


def test_the_same_p_values_and_verdicts_everywhere(results: Results) -> None:
    report = results.report
    in_json = json.loads(text.to_json(report))["tables"][0]["rankings"]
    in_page = page_data(report)["tables"][0]
    ids = [each["id"] for each in in_page["models"]]
    compared = {
        pair: {group.name: group for group in results.compare(*pair).comparison.groups}
        for pair in itertools.combinations([each.model for each in report.tables[0].rankings[0].models], 2)
    }
    for group, facts in zip(report.tables[0].rankings, in_json, strict=True):
        pairs = list(itertools.combinations([each.model for each in group.models], 2))
        found = {pair: compared[pair if pair in compared else pair[::-1]][group.name] for pair in pairs}
        adjusted = dict(zip(pairs, holm([found[pair].p_value for pair in pairs]).tolist(), strict=True))
        assert [tuple(each["models"]) for each in facts["pairs"]] == pairs
        (shown,) = [each for each in in_page["groups"] if each["name"] == group.name]
        page_p = {frozenset((ids[a], ids[b])): (p, apart) for a, b, p, apart, *_ in shown["p"]}
        for each in facts["pairs"]:
            pair = tuple(each["models"])
            assert each["p"] == pytest.approx(found[pair].p_value, rel=1e-9)
            assert each["p_holm"] == pytest.approx(adjusted[pair], rel=1e-9)
            # The better mean comes first.
            assert each["differ"] == (adjusted[pair] < 0.05 and not found[pair].is_mixed)
            assert page_p[frozenset(pair)] == (pytest.approx(adjusted[pair], rel=1e-2), each["differ"])
            if each["differ"]:
                assert found[pair].better == ("a" if pair in compared else "b")
    overall = results.compare("good", "poor")
    assert "good is better than poor overall" in str(overall)
    assert overall.to_frame("groups").set_index("group").loc["overall", "better"] == "good"


def test_a_third_of_the_genes_is_compared_on_these(results: Results) -> None:
    comparison = results.compare("good", "third").comparison
    assert {task.task.id: task.n_scored for task in comparison.tasks} == {**dict.fromkeys(TASKS, 100), TINY: 25}
    assert [task.task.id for task in comparison.tasks if not task.is_counted] == [TINY]
    assert comparison.groups[0].n_tasks == len(TASKS)
    # Equally good vectors, of which one file has fewer genes: no verdict from genes that it lacks.
    assert comparison.groups[0].better == ""
    page = page_data(results.report)["tables"][0]
    ids = [each["id"] for each in page["models"]]
    in_page = {
        page["tasks"][task]["id"]: (kind, n)
        for one, other, task, kind, n, *_ in page["pairs"]
        if {ids[one], ids[other]} == {"good", "third"}
    }
    assert in_page == dict.fromkeys(TASKS, ("shared", 100))
    assert {task.kind for task in results.compare("good", "fair").comparison.tasks} == {"shared"}
