"""Ranks, their intervals and ties; which results are paired, and which are too small to count."""

import math
from dataclasses import replace

import numpy as np
import pytest
from made_results import made, two_models, with_settings

from gene_eval.analysis.compare import compare
from gene_eval.analysis.pairing import Pairing, overlap
from gene_eval.analysis.rankings import rank
from gene_eval.analysis.tables import build
from gene_eval.errors import ReportError
from gene_eval.reporting.comparison_text import sentences
from gene_eval.reporting.text import to_markdown
from gene_eval.results.minimum import meets_minimum
from gene_eval.results.records import Coverage, TaskResult


def test_ranking_of_three_models() -> None:
    results = two_models(gap=0.1)
    rng = np.random.default_rng(1)
    for one in [one for one in results if one.model.id == "plain"]:
        folds = [fold + 0.02 * rng.normal() for fold in one.scores["roc_auc"].folds]
        results.append(made("like-plain", one.task.id, folds))
    results.append(made("partial", "hpa_0", [0.9] * 5))
    groups = {group.name: group for group in rank(results)}
    overall = groups["overall"]
    assert (overall.basis, overall.metric, overall.left_out) == ("7 sources", "roc_auc", ("partial",))
    assert [(place.model, place.rank) for place in overall.models][0] == ("org/Good", 1)
    assert (overall.models[0].low, overall.models[0].high) == (1, 1)
    assert {(place.low, place.high) for place in overall.models[1:]} == {(2, 3)}
    assert [set(run) for run in overall.ties] == [{"org/Good"}, {"plain", "like-plain"}]
    assert overall.p_values["plain", "like-plain"] > 0.05 > overall.p_values["org/Good", "plain"]
    protein = groups["protein"]
    assert (protein.basis, protein.tasks) == ("4 tasks", ("hgnc_0", "hgnc_1", "uniprot_0", "uniprot_1"))
    assert [(place.low, place.high) for place in protein.models] == [(1, 1), (2, 3), (2, 3)]
    pair = compare([one for one in results if one.model.id in ("plain", "org/Good")], "org/Good", "plain")
    family = next(group for group in pair.groups if group.name == "protein")
    assert protein.p_values["plain", "org/Good"] == pytest.approx(min(1, 3 * family.p_value), rel=1e-6)


def test_ranking_says_on_which_tasks_genes_differ_and_refuses_other_folds() -> None:
    results = two_models(gap=0.1)
    odd = replace(results[0], coverage=replace(results[0].coverage, scored_sha256="0" * 64))
    assert rank([odd, *results[1:]])[0].uneven == ("hpa_0",)
    for changed in (
        replace(odd, task=replace(odd.task, folds_sha256="0" * 64)),
        with_settings(odd, seed=1),
    ):
        with pytest.raises(ReportError, match="results of hpa_0 differ in version, labels, folds"):
            rank([changed, *results[1:]][::-1])
    with pytest.raises(ReportError, match="two results of plain on hpa_0"):
        rank([*results, results[0]])
    assert rank([]) == ()


def _scored(result: TaskResult, n: int, sha256: str = "", **task: int) -> TaskResult:
    coverage = Coverage(100, n, 100 - n, (), sha256 or str(n))
    return replace(result, coverage=coverage, task=replace(result.task, **task))


@pytest.mark.parametrize(
    ("n", "other", "shared"), [(100, 99, 0.99), (100, 98, 0.98), (99, 99, 98 / 99), (50, 60, 10 / 60), (30, 30, 0)]
)
def test_counts_say_how_many_genes_are_shared_at_least(n: int, other: int, shared: float) -> None:
    first, second = (_scored(made("m", "hpa_0", [0.5] * 5), each, sha) for each, sha in ((n, "a"), (other, "b")))
    assert overlap(first, second) == overlap(second, first) == pytest.approx(shared)
    assert isinstance(Pairing().of(first, second), str) == (shared < 0.99)
    assert overlap(first, first) == 1


def test_one_gene_in_a_hundred_may_differ_and_is_said() -> None:
    results = [_scored(one, 99) if one.model.id == "plain" else one for one in two_models(gap=0.1)]
    found = compare(results, "org/Good", "plain")
    assert len(found.tasks) == 14
    assert found.left_out == {}
    (warning,) = found.warnings
    assert warning.startswith("14 tasks compared on genes of which up to 1 % differ (gene2vec_0, ")
    assert rank(results)[0].distinguished == {("org/Good", "plain"), ("plain", "org/Good")}


def test_models_of_different_genes_are_not_distinguished() -> None:
    results = [_scored(one, 33) if one.model.id == "plain" else one for one in two_models(gap=0.1)]
    overall = rank(results)[0]
    assert math.isnan(overall.p_values["plain", "org/Good"])
    assert overall.distinguished == frozenset()
    assert [(each.low, each.high) for each in overall.models] == [(None, None), (None, None)]
    with pytest.raises(ReportError, match="--predictions.*--common-genes"):
        compare(results, "org/Good", "plain")


def test_few_tasks_that_point_both_ways_give_no_verdict() -> None:
    folds = np.array([0.6, 0.61, 0.59, 0.6, 0.6])
    results = [
        *(made("a", f"hpa_{number}", (folds + shift).tolist()) for number, shift in enumerate((0.3, -0.01))),
        *(made("b", f"hpa_{number}", (folds + 0.001 * np.arange(5)).tolist()) for number in range(2)),
    ]
    overall = compare(results, "a", "b").groups[0]
    assert overall.p_value < 0.001
    assert (overall.ahead_a, overall.ahead_b) == (1, 1)
    assert (overall.is_mixed, overall.better) == (True, "")
    said = " ".join(sentences(compare(results, "a", "b")))
    assert "Mixed overall, no verdict: +0.143 ROC-AUC on average" in said
    assert "about these 2 tasks only; a is ahead on 1, b on 1" in said
    assert rank(results)[0].distinguished == frozenset()
    # With both tasks the same way, there is one.
    results[1] = made("a", "hpa_1", (folds + 0.2).tolist())
    assert compare(results, "a", "b").groups[0].better == "a"
    assert rank(results)[0].distinguished == {("a", "b"), ("b", "a")}


@pytest.mark.parametrize(
    ("n", "rarer", "is_enough"),
    [(30, {}, True), (29, {}, False), (99, {"rarer_train": 5, "rarer_test": 2}, True),
     (99, {"rarer_train": 4, "rarer_test": 2}, False), (99, {"rarer_train": 5, "rarer_test": 1}, False)],
)  # fmt: skip
def test_the_minimum(n: int, rarer: dict[str, int], is_enough: bool) -> None:  # noqa: FBT001
    assert meets_minimum(_scored(made("m", "hpa_0", [0.5] * 5), n, **rarer)) == is_enough


def test_a_task_too_small_for_all_is_in_no_mean_and_no_rank() -> None:
    results = [_scored(one, 21, "a" * 64) if one.task.id == "hpa_0" else one for one in two_models(gap=0.1)]
    (table,) = build(results).tables
    assert "hpa_0" not in table.groups["overall"]
    assert table.groups["localization"] == ("hpa_1",)
    assert table.means["plain", "overall"].n_tasks == 13
    assert table.tasks[-1].name == "hpa_0"
    assert not table.tasks[-1].is_counted
    assert table.cells["plain", "hpa_0"].mean is not None
    assert table.warnings[0].startswith("hpa_0 is in no mean and no rank: fewer than 30 entities scored")
    assert "hpa_0" not in rank(results)[0].tasks
    found = compare(results, "org/Good", "plain")
    assert [task.task.id for task in found.tasks if not task.is_counted] == ["hpa_0"]
    assert found.groups[0].n_tasks == 13


def test_a_model_too_small_on_a_task_has_no_mean_with_it() -> None:
    results = [
        _scored(one, 21) if (one.model.id, one.task.id) == ("plain", "hpa_0") else one for one in two_models(gap=0.1)
    ]
    (table,) = build(results).tables
    assert table.means["org/Good", "overall"].n_tasks == 14
    assert ("plain", "overall") not in table.means
    assert rank(results)[0].left_out == ("plain",)


def test_a_class_too_rare_for_one_model_does_not_take_the_task_from_the_others() -> None:
    results = two_models(gap=0.1)
    few = [replace(one, model=replace(one.model, id="zz-few")) for one in results if one.model.id == "plain"]
    few = [_scored(one, 50, rarer_train=9, rarer_test=1) if one.task.id == "hpa_0" else one for one in few]
    (table,) = build([*results, *few]).tables
    overall = table.rankings[0]
    assert len(overall.tasks) == len(table.groups["overall"]) == 14
    assert overall.left_out == ("zz-few",)
    assert ("zz-few", "overall") not in table.means


def test_a_suite_has_a_mean_and_ranks_of_its_own() -> None:
    results = two_models(gap=0.1)
    suite = {"@some": ["hpa_0", "hpa_1", "hgnc_0", "not_here"], "@all": {one.task.id for one in results}}
    (table,) = build(results, suites=suite).tables
    assert table.groups["@some"] == ("hgnc_0", "hpa_0", "hpa_1")
    # A suite that holds everything would only repeat the first column.
    assert "@all" not in table.groups
    plain = [one for one in results if one.model.id == "plain" and one.task.id in suite["@some"]]
    assert table.means["plain", "@some"].mean == pytest.approx(np.mean([one.scores["roc_auc"].mean for one in plain]))
    (ranks,) = [group for group in table.rankings if group.name == "@some"]
    assert [(each.model, each.rank) for each in ranks.models] == [("org/Good", 1), ("plain", 2)]
    text = to_markdown(build(results, suites=suite))
    assert "@some (3 of 4 tasks)" in text
    assert "Overall is @all: 14 of its 14 tasks are here." in text
    pair = compare(results, "org/Good", "plain", suites=suite)
    group = next(group for group in pair.groups if group.name == "@some")
    # Corrected for the number of families, of which a suite is none.
    assert (group.n_tasks, group.holm_p) == (3, group.p_value)
    assert "@some" not in " ".join(sentences(pair))
