"""Statistics over all pairs of many models: in blocks, in closed form, and what is left out of too many."""

import json
import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from gene_eval.analysis import all_pairs, pairing, rankings, tables
from gene_eval.analysis.all_pairs import AllPairs
from gene_eval.analysis.controls import against_controls
from gene_eval.analysis.pairing import Pairing
from gene_eval.analysis.rankings import rank, rank_tasks
from gene_eval.analysis.tables import build
from gene_eval.core.statistics.over_tasks import tie_groups
from gene_eval.core.statistics.paired_tests import (
    corrected_variance,
    holm,
    minimal_detectable_difference,
    pooled_detectable_difference,
    pooled_detectable_of,
)
from gene_eval.reporting import plain
from gene_eval.reporting.page.render import render_parts
from gene_eval.reporting.text import RENDERERS, to_json
from gene_eval.results.records import TaskResult
from tests.analysis.made_results import SOURCES, made


def _results(n_models: int, *, n_sources: int = 7) -> list[TaskResult]:
    rng = np.random.default_rng(1)
    names = ["random", *(f"model-{number}" for number in range(n_models - 1))]
    found = []
    for source in SOURCES[:n_sources]:
        for number in range(2):
            common = 0.02 * rng.normal(size=5)
            for place, name in enumerate(names):
                folds = 0.6 + 0.03 * (place // 2) + common + 0.01 * rng.normal(size=5)
                found.append(made(name, f"{source}_{number}", folds.tolist()))
    return [
        replace(one, model=replace(one.model, adapter="random")) if one.model.id == "random" else one for one in found
    ]


def _brute_force(folds: np.ndarray, ratio: float) -> float:
    """The pooled detectable difference, pair by pair."""
    differences = [a - b for a, b in combinations(folds, 2)]
    variances = [corrected_variance(each, test_train_ratio=ratio) for each in differences]
    known = [each for each in variances if not math.isnan(each)]
    most = max(int((~np.isnan(each)).sum()) for each in differences)
    return minimal_detectable_difference(math.sqrt(np.mean(known)), most - 1)


def test_the_pooled_error_is_that_of_all_pairs() -> None:
    folds = np.random.default_rng(0).normal(0.8, 0.02, (12, 5)) + np.arange(5) / 10
    expected = _brute_force(folds, 0.25)
    assert pooled_detectable_difference(folds, test_train_ratio=0.25) == pytest.approx(expected, rel=1e-12)
    folds[3, 2] = folds[5, :4] = np.nan
    differences = [a - b for a, b in combinations(folds, 2)]
    assert pooled_detectable_of(differences, test_train_ratio=0.25) == pytest.approx(_brute_force(folds, 0.25))
    assert math.isnan(pooled_detectable_difference(folds[[0, 0]], test_train_ratio=0.25))
    assert math.isnan(pooled_detectable_difference(folds[:1], test_train_ratio=0.25))


def test_runs_of_ties_are_the_largest_without_a_difference() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        n = int(rng.integers(1, 9))
        means, differ = rng.normal(size=n), np.triu(rng.random((n, n)) < 0.25, k=1)
        p_values = np.where(differ | differ.T, 0.0, 1.0)
        order = np.argsort(-means)
        runs = [tuple(order[i:j].tolist()) for i, j in combinations(range(n + 1), 2)]
        alike = [run for run in runs if all(p_values[pair] for pair in combinations(run, 2))]
        largest = [run for run in alike if not any(set(run) < set(other) for other in alike)]
        assert list(tie_groups(means, p_values)) == largest


@pytest.mark.parametrize("n_sources", [7, 3])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, n_sources: int) -> None:
    results = _results(8, n_sources=n_sources)
    # One model lacks a fold of a task, another was scored on other genes.
    folds = replace(results[3].scores["roc_auc"], folds=(math.nan, *results[3].scores["roc_auc"].folds[1:]))
    results[3] = replace(results[3], scores={"roc_auc": folds})
    results[12] = replace(results[12], coverage=replace(results[12].coverage, n_scored=60, scored_sha256="b" * 64))
    whole = rank(results)
    monkeypatch.setattr(all_pairs, "BLOCK", 40)
    for one, other in zip(whole, rank(results), strict=True):
        assert [each.model for each in one.models] == [each.model for each in other.models]
        assert dict(one.p_values) == pytest.approx(dict(other.p_values), nan_ok=True)
        assert set(one.distinguished) == set(other.distinguished)


def test_of_many_models_groups_are_tested_and_single_tasks_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    results = _results(6)
    before, tasks_before = rank(results), rank_tasks(results)
    for module in (pairing, rankings, tables, plain):
        monkeypatch.setattr(module, "MOST_MODELS", 5)
    for one, other in zip(before, rank(results), strict=True):
        assert (one.models, dict(one.p_values), other.ties) == (other.models, dict(other.p_values), ())
    for one, other in zip(tasks_before, rank_tasks(results), strict=True):
        assert [(each.model, each.mean, each.rank) for each in one.models] == [
            (each.model, each.mean, each.rank) for each in other.models
        ]
        assert {(each.low, each.high) for each in other.models} == {(None, None)}
        assert (other.detectable, len(other.p_values)) == (one.detectable, 0)
    report = build(results)
    (table,) = json.loads(to_json(report))["tables"]
    assert any("6 models, more than" in line and "gene-bench compare" in line for line in table["warnings"])
    assert all(group["pairs"] == [] for group in table["rankings"])


def test_of_too_many_models_groups_have_ranks_and_no_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    results = _results(6)
    before = rank(results)
    for module in (pairing, rankings, tables, plain):
        monkeypatch.setattr(module, "MOST_MODELS", 5)
    for module in (rankings, tables):
        monkeypatch.setattr(module, "MOST_IN_GROUP", 5)
    for one, other in zip(before, rank(results), strict=True):
        assert [(each.model, each.mean, each.rank, each.std_error) for each in one.models] == [
            (each.model, each.mean, each.rank, each.std_error) for each in other.models
        ]
        assert {(each.low, each.high) for each in other.models} == {(None, None)}
        assert (len(other.p_values), len(other.pair_p_values), len(other.distinguished)) == (0, 0, 0)
    report = build(results)
    for render in RENDERERS.values():
        render(report)
    *parts, (_, page) = render_parts(report, "page_parts")
    assert all('"groups":[null' in content for name, content in parts if "-m" in name)
    assert '"p":[]' in page


@pytest.mark.parametrize("n_sources", [7, 3])
def test_the_adjusted_p_of_two_models_is_that_of_all_pairs(monkeypatch: pytest.MonkeyPatch, n_sources: int) -> None:
    results = _results(8, n_sources=n_sources)
    by_model: dict[str, dict[str, TaskResult]] = {}
    for one in results:
        by_model.setdefault(one.model.id, {})[one.task.id] = one
    tasks = sorted({one.task.id for one in results})
    records = [by_model["model-0"][task].task for task in tasks]
    scores = AllPairs.of(by_model, tasks)
    ones = 0
    for group in (records, records[:1], records[:3]):
        p_values = scores.p_values(group)
        expected = holm(p_values)
        for first in (1, 5, 10_000):
            monkeypatch.setattr(all_pairs, "FIRST", first)
            found = [
                scores.adjusted(group, (scores.models[i], scores.models[j]), p)
                for i, j, p in zip(scores.first, scores.second, p_values.tolist(), strict=True)
            ]
            assert found == expected.tolist()
            ones += found.count(1.0)
    assert ones


def test_of_many_models_those_scored_on_other_genes_are_paired_with_their_like(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results = [
        replace(one, coverage=replace(one.coverage, n_scored=60, scored_sha256="b" * 64))
        if one.model.id in ("model-0", "model-1")
        else one
        for one in _results(6)
    ]
    # A control that fits nothing has no penalty, and goes with the others.
    results = [
        replace(one, probe=replace(one.probe, params={})) if one.model.id == "random" else one for one in results
    ]
    found = {(one.model.id, one.task.id): one for one in results}
    few = Pairing().unlike(found)
    for module in (pairing, rankings, tables):
        monkeypatch.setattr(module, "MOST_MODELS", 5)
    many = Pairing().unlike(found)
    assert (len(many), many.apart.keys()) == (0, {one.task.id for one in results})
    for one, other, task in few:
        assert many.apart[task][one] != many.apart[task][other]
    for task, numbers in many.apart.items():
        apart = {tuple(sorted(pair)) for pair in combinations(numbers, 2) if numbers[pair[0]] != numbers[pair[1]]}
        assert apart == {(one, other) for one, other, each in few if each == task}
    (table,) = build(results).tables
    overall = table.rankings[0]
    assert math.isnan(overall.p_values["model-0", "model-2"])
    assert not math.isnan(overall.p_values["model-0", "model-1"])
    assert any("not compared: models with others on" in line and "more than" in line for line in table.warnings)
    by_pairs = against_controls(found, few)
    assert {task: each.near for task, each in against_controls(found, many).items()} == {
        task: each.near for task, each in by_pairs.items()
    }
