"""Comparing two models from their result files: what is paired, what is left out, what is said."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_results import SOURCES, made, two_models, with_settings
from scipy import stats

from gene_eval.analysis.compare import Comparison, compare, find_model
from gene_eval.analysis.groups import group_tasks
from gene_eval.analysis.rankings import rank, rank_tasks
from gene_eval.cli.parser import main
from gene_eval.core.statistics.paired_tests import corrected_t_test, holm, minimal_detectable_difference
from gene_eval.errors import ReportError
from gene_eval.reporting.comparison_text import sentences, to_text
from gene_eval.results import store as result_files


@pytest.fixture(scope="module")
def clear() -> Comparison:
    return compare(two_models(gap=0.1), "org/Good", "plain")


def test_each_task_is_the_corrected_t_test_of_its_folds(clear: Comparison) -> None:
    results = {(one.model.id, one.task.id): one.scores["roc_auc"].folds for one in two_models(gap=0.1)}
    assert len(clear.tasks) == 14
    for task in clear.tasks:
        a, b = (np.array(results[model, task.task.id], dtype=float) for model in ("org/Good", "plain"))
        assert task.test == corrected_t_test(a, b, test_train_ratio=1 / 4)
        assert (task.mean_a, task.mean_b) == (pytest.approx(a.mean()), pytest.approx(b.mean()))
    # Of one pair of models, nothing is to be adjusted for.
    assert [task.holm_p for task in clear.tasks] == [task.test.p_value for task in clear.tasks]
    assert {task.better for task in clear.tasks if task.holm_p < 0.05} == {"a"}


def test_p_values_are_adjusted_for_all_pairs_of_models_as_in_ranks() -> None:
    results = two_models(gap=0.03)
    rng = np.random.default_rng(1)
    third = [
        made("third", one.task.id, [fold + 0.02 * rng.normal() for fold in one.scores["roc_auc"].folds])
        for one in results
        if one.model.id == "plain"
    ]
    results += third
    comparison = compare(results, "org/Good", "plain")
    assert comparison.n_models == 3
    names = [("org/Good", "plain"), ("org/Good", "third"), ("plain", "third")]
    alone = {pair: compare([one for one in results if one.model.id in pair], *pair) for pair in names}
    for task in comparison.tasks:
        raw = [next(t for t in alone[pair].tasks if t.task.id == task.task.id).test.p_value for pair in names]
        assert task.holm_p == pytest.approx(holm(raw)[0], rel=1e-9)
        ranks = next(each for each in rank_tasks(results) if each.name == task.task.id)
        assert ranks.p_values["org/Good", "plain"] == pytest.approx(task.holm_p, rel=1e-9)
        assert (("org/Good", "plain") in ranks.distinguished) == (task.better != "")
    for group, ranks in zip(comparison.groups, rank(results), strict=True):
        assert (group.name, ranks.p_values["org/Good", "plain"]) == (ranks.name, pytest.approx(group.holm_p, rel=1e-9))
        assert (("org/Good", "plain") in ranks.distinguished) == (group.better != "")


def test_the_detectable_difference_pools_all_pairs_of_models() -> None:
    rng = np.random.default_rng(2)
    folds = 0.7 + 0.02 * rng.normal(size=(4, 5))
    results = [made(model, "hpa_0", row.tolist()) for model, row in zip("abcd", folds, strict=True)]
    (task,) = compare(results, "a", "b").tasks
    # With all pairs weighing the same, twice the residual mean square of models by folds.
    residual = folds - folds.mean(axis=0) - folds.mean(axis=1, keepdims=True) + folds.mean()
    variance = 2 * (residual**2).sum() / (3 * 4) * (1 / 5 + 1 / 4)
    assert task.detectable == pytest.approx(minimal_detectable_difference(math.sqrt(variance), 4))
    assert rank_tasks(results)[0].detectable == pytest.approx(task.detectable)


def test_overall_counts_each_source_once(clear: Comparison) -> None:
    overall = clear.groups[0]
    assert (overall.name, overall.metric, overall.n_tasks, overall.basis) == ("overall", "roc_auc", 14, "7 sources")
    means = [
        np.mean([task.test.difference for task in clear.tasks if task.task.source == source]) for source in SOURCES
    ]
    expected = stats.ttest_1samp(means, 0)
    assert overall.difference == pytest.approx(np.mean(means))
    # Sources share labels: their differences correlate by 0.1.
    inflation = math.sqrt((1 + 6 * 0.1) / (1 - 0.1))
    assert overall.p_value == pytest.approx(2 * stats.t.sf(expected.statistic / inflation, 6))
    margin = (expected.confidence_interval().high - np.mean(means)) * inflation
    assert overall.low == pytest.approx(np.mean(means) - margin)
    assert overall.better == "a"


def test_families_of_few_sources_are_about_their_tasks_only(clear: Comparison) -> None:
    families = {group.name: group for group in clear.groups[1:]}
    assert list(families) == ["genomic", "regulatory", "localization", "biological_process", "protein"]
    protein = families["protein"]
    tests = [task.test for task in clear.tasks if task.task.family == "protein"]
    assert (protein.n_tasks, protein.basis) == (4, "4 tasks")
    assert protein.difference == pytest.approx(np.mean([test.difference for test in tests]))
    statistic = protein.difference / np.mean([test.std_error for test in tests])
    assert protein.p_value == pytest.approx(2 * stats.t.sf(statistic, 4))
    assert [group.holm_p for group in families.values()] == [group.p_value for group in families.values()]


def test_the_sentences_say_who_where_and_how_surely(clear: Comparison) -> None:
    verdict, by_family, by_task = sentences(clear)
    group = clear.groups[0]
    assert verdict == (
        f"org/Good is better than plain overall: org/Good has {group.difference:+.3f} ROC-AUC (95 % interval "
        f"{group.low:+.3f} to {group.high:+.3f}, p < 0.001; "
        "mean over the 7 sources of 14 tasks; org/Good is ahead on 14, plain on 0)."
    )
    assert by_family == (
        "By family: org/Good is better in genomic (2 tasks), regulatory (4 tasks), localization (2 tasks), "
        "biological_process (2 tasks), protein (4 tasks)."
    )
    assert by_task.startswith("Task by task (14 compared, each by itself): org/Good is better on ")
    reverse = compare(two_models(gap=0.1), "plain", "org/Good")
    assert next(sentences(reverse)).startswith(
        f"org/Good is better than plain overall: plain has {-group.difference:+.3f} ROC-AUC"
    )


def test_models_alike_do_not_differ() -> None:
    comparison = compare(two_models(gap=0.0), "good", "plain")
    assert comparison.groups[0].better == ""
    verdict, by_family, by_task = sentences(comparison)
    assert verdict.startswith("org/Good and plain do not differ clearly overall: ")
    assert by_family.startswith("By family: no clear difference in genomic, ")
    assert by_task.endswith("org/Good is better on 0, plain on 0, undecided on 14.")


def test_regression_is_never_averaged_with_roc_auc() -> None:
    extra = [
        made("plain", "hpa_r", [-40.0, -30.0, -35.0, -38.0, -31.0], target="regression"),
        made("org/Good", "hpa_r", [0.1, 0.2, 0.1, 0.2, 0.1], target="regression"),
    ]
    with_regression = compare([*two_models(gap=0.1), *extra], "org/Good", "plain")
    assert (
        with_regression.groups[0].difference == compare(two_models(gap=0.1), "org/Good", "plain").groups[0].difference
    )
    last = with_regression.groups[-1]
    assert (last.name, last.metric, last.basis, last.better) == ("regression", "spearman", "1 task", "a")
    assert last.difference == pytest.approx(34.94)
    assert "over 1 regression task: org/Good has +34.940 in rank correlation" in list(sentences(with_regression))[1]


def test_folds_undefined_for_one_model_are_not_paired() -> None:
    results = [
        made("a", "humantfs_is_tf", [0.7, 0.8, math.nan, 0.9, 0.8]),
        made("b", "humantfs_is_tf", [0.6, 0.7, 0.1, 0.7, 0.75]),
        made("a", "hgnc_hla_class", [math.nan] * 5),
        made("b", "hgnc_hla_class", [0.5] * 5),
    ]
    comparison = compare(results, "a", "b")
    (task,) = comparison.tasks
    assert (task.test.n, task.n_folds, task.mean_b) == (4, 5, pytest.approx(0.6875))
    assert task.test == corrected_t_test([0.7, 0.8, 0.9, 0.8], [0.6, 0.7, 0.7, 0.75], test_train_ratio=1 / 4)
    assert comparison.warnings == ("1 task left out: no fold in which both scores are defined (hgnc_hla_class)",)
    assert "100 (4 of 5 folds)" in to_text(comparison)


CHANGES = {
    "version": ("task", "2.0.0", "task versions differ, 2.0.0 and 1.0.0"),
    "data_sha256": ("task", "0" * 64, "labels differ"),
    "folds_sha256": ("task", "0" * 64, "folds differ"),
    "scored_sha256": ("coverage", "0" * 64, "scored on different genes, and not both with predictions; run"),
    "n_scored": ("coverage", 98, "scored on different genes, and not both with predictions; run"),
    "params": ("probe", {"C": 10.0}, "the penalty C differs"),
    "scores": ("", {}, "no roc_auc in a result"),
}


@pytest.mark.parametrize("field", CHANGES)
def test_what_cannot_be_paired_is_left_out_and_counted(field: str) -> None:
    part, value, reason = CHANGES[field]
    results = two_models(gap=0.1)
    odd = next(one for one in results if (one.model.id, one.task.id) == ("org/Good", "hpa_0"))
    changes = {part: replace(getattr(odd, part), **{field: value})} if part else {field: value}
    comparison = compare([replace(odd, **changes) if one is odd else one for one in results], "org/Good", "plain")
    assert len(comparison.tasks) == 13
    (warning,) = comparison.warnings
    assert warning.startswith(f"1 task left out: {reason}")
    assert warning.endswith("(hpa_0)")
    alone = [replace(odd, **changes), next(one for one in results if one.task.id == "hpa_0" and one is not odd)]
    with pytest.raises(ReportError, match=f"org/Good and plain share no task that can be compared: {reason}"):
        compare(alone, "org/Good", "plain")


def test_a_task_of_one_model_only_is_left_out() -> None:
    results = [one for one in two_models(gap=0.1) if (one.model.id, one.task.source) != ("plain", "hpa")]
    comparison = compare(results, "org/Good", "plain")
    assert comparison.left_out == {"no result of plain": ("hpa_0", "hpa_1")}
    assert comparison.groups[0].basis == "6 sources"


def test_settings_are_never_mixed() -> None:
    results = two_models(gap=0.1)
    apart = [with_settings(one, engine="fast") if one.model.id == "plain" else one for one in results]
    message = (
        "org/Good with protocol paper, engine sklearn, seed 0; plain with protocol paper, engine fast, seed 0: "
        "scores of different settings cannot be paired; run both the same way"
    )
    with pytest.raises(ReportError, match=message):
        compare(apart, "org/Good", "plain")
    both = [*results, *(with_settings(one, protocol="scaled") for one in results)]
    with pytest.raises(ReportError, match="has results of 2 settings .*; say which with --where AXIS=VALUE"):
        compare(both, "org/Good", "plain")
    assert compare(both, "org/Good", "plain", where={"protocol": "scaled"}).settings.protocol == "scaled"
    extra = [*results, with_settings(results[0], seed=1)]
    assert str(compare(extra, "org/Good", "plain").settings) == "protocol paper, engine sklearn, seed 0"


def test_a_model_of_two_revisions_is_said() -> None:
    results = two_models(gap=0.1)
    results[0] = replace(results[0], model=replace(results[0].model, revision="abc"))
    (warning,) = compare(results, "org/Good", "plain").warnings
    assert warning == "plain has results of different revisions or options; run it again with --overwrite"


@pytest.mark.parametrize(
    ("models", "a", "b", "message"),
    [
        ([], "a", "b", "no results: nothing to compare"),
        (["a"], "a", "b", r"results of one model only \(a\): nothing to compare; add one with: gene-bench run MODEL"),
        (["a", "b"], "a", "a", "'a' and 'a' are both a; name two models of: a, b"),
        (["org/Good", "plain"], "god", "plain", "no results of model 'god': did you mean 'org/Good'"),
        (["org/Good", "plain"], "xyz", "plain", r"no results of model 'xyz': \(there are: org/Good, plain\)"),
        (["x/m", "y/m", "plain"], "m", "plain", "model 'm' may be x/m or y/m; give the full id"),
    ],
)
def test_mistakes_are_one_line(models: list[str], a: str, b: str, message: str) -> None:
    with pytest.raises(ReportError, match=message) as caught:
        compare([made(model, "hpa_0", [0.5, 0.6, 0.7]) for model in models], a, b)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["org/Good", "ORG/good", "good", "org__Good"])
def test_names_that_find_a_model(name: str) -> None:
    assert find_model(name, ["org/Good", "plain", "org/Good-large"]) == "org/Good"


def test_starter_tasks_and_labels_of_a_task_that_is_there_are_in_no_group() -> None:
    ids = ["starter_is_tf", "reactome_pathways", "reactome_pathways/dna_repair", "uniprot_ptm/acetylation"]
    assert group_tasks([made("a", task, [0.5]).task for task in ids]) == {
        "overall": ("reactome_pathways", "uniprot_ptm/acetylation"),
        "biological_process": ("reactome_pathways",),
        "protein": ("uniprot_ptm/acetylation",),
    }
    results = [made(model, ids[0], folds) for model, folds in (("a", [0.5, 0.6, 0.7]), ("b", [0.4, 0.3, 0.5]))]
    comparison = compare(results, "a", "b")
    assert comparison.groups == ()
    assert "starter_is_tf *" in to_text(comparison)


def test_one_test_part_has_no_test_and_says_so() -> None:
    results = [made("a", "humantfs_is_tf", [0.7]), made("b", "humantfs_is_tf", [0.6])]
    comparison = compare(results, "a", "b")
    assert math.isnan(comparison.tasks[0].test.p_value)
    assert "One test part and no folds: a difference on a task is not tested" in to_text(comparison)
    folds = [made("a", "humantfs_is_tf", [0.7, 0.8]), made("b", "humantfs_is_tf", [0.6, 0.6])]
    assert "no folds" not in to_text(compare(folds, "a", "b"))


@pytest.mark.parametrize("value", ["None", "none", "all", None])
def test_an_axis_without_a_value_can_be_named(value: str | None) -> None:
    whole = two_models(gap=0.1)
    results = [*whole, *(with_settings(one, shots=5) for one in whole)]
    with pytest.raises(ReportError, match="AXIS=VALUE, such as shots=none"):
        compare(results, "org/Good", "plain")
    assert compare(results, "org/Good", "plain", where={"shots": value}).settings.shots is None
    assert compare(results, "org/Good", "plain", where={"shots": "5"}).settings.shots == 5


def test_the_command_prints_sentences_and_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for result in two_models(gap=0.1):
        result_files.save(result, tmp_path)
    assert main(["compare", str(tmp_path), "good", "plain"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out == to_text(compare(two_models(gap=0.1), "good", "plain"))
    lines = out.splitlines()
    assert lines[0].startswith("org/Good is better than plain overall: ")
    assert lines[2].split("  ")[0] == "tasks"
    assert sum(line.startswith(("hpa_", "gene2vec_")) for line in lines) == 4


def test_the_command_says_mistakes_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for result in two_models(gap=0.1):
        result_files.save(result, tmp_path)
    assert main(["compare", str(tmp_path), "goood", "plain"]) == 2
    message = "gene-bench: no results of model 'goood': did you mean 'org/Good'? (there are: org/Good, plain)\n"
    assert capsys.readouterr() == ("", message)
    assert main(["compare", str(tmp_path / "none"), "good", "plain"]) == 2
    assert capsys.readouterr().err.startswith("gene-bench: no results folder ")
    (tmp_path / "plain" / "hpa_0.json").write_text("{")
    assert main(["compare", str(tmp_path), "good", "plain"]) == 1
    unreadable, left_out = capsys.readouterr().err.splitlines()
    assert unreadable.startswith("warning: cannot read result ")
    assert left_out == "warning: 1 task left out: no result of plain (hpa_0)"
