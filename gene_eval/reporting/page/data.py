"""What the page shows, as JSON: numbers by position, and everything that results share only once."""

import math
import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from statistics import fmean, pstdev
from typing import Any

from scipy import stats

from gene_eval import __version__
from gene_eval.analysis.controls import gain_test
from gene_eval.analysis.groups import Suites, group_metric, ranking_metric
from gene_eval.analysis.pairing import MANY_MODELS, Pair
from gene_eval.analysis.rankings import GroupRanking
from gene_eval.analysis.splits import UNRANKED_SPLITS
from gene_eval.analysis.tables import LABEL_METRIC, LEAST_COVERAGE, Report, Table, TaskLine, labels
from gene_eval.core.metrics import HIGHER_IS_BETTER, METRICS
from gene_eval.core.statistics.paired_tests import ALPHA
from gene_eval.results.minimum import RULE, meets_minimum
from gene_eval.results.paths import axes_name, ending, slug
from gene_eval.results.records import Score, TaskRecord, TaskResult
from gene_eval.results.reproduce import run_words
from gene_eval.results.settings import DEFAULTS

__all__ = ["page_data", "page_parts"]

# Scores are written as whole numbers of 1e-5: half the size, and finer than what is shown.
UNIT = 100_000


class _Origins:
    """Model, probe, environment and command of a result, each with its `repr`; results of a large folder share them."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], list[tuple[Any, str]]] = {}

    def __call__(self, result: TaskResult) -> list[tuple[Any, str]]:
        task, probe, settings = result.task, result.probe, result.settings
        shared = (id(result.model), id(probe.params), id(result.environment), settings, task.defaults, task.repeats)
        key = (*shared, result.gain and result.gain.covariates, result.permuted and len(result.permuted.scores))
        if key not in self._known:
            command = [*run_words(result), ending(settings, task.defaults)]
            parts = (asdict(result.model), {**settings.shown, **probe.params}, dict(result.environment), command)
            self._known[key] = [(part, repr(part)) for part in parts]
        return self._known[key]


class _Shared:
    """Values that many results have in common, each kept once and named by its number."""

    def __init__(self, origins: _Origins | None = None) -> None:
        self.origins = origins or _Origins()
        self.values: list[Any] = []
        self._numbers: dict[str, int] = {}

    def number(self, value: Any, key: str | None = None) -> int:
        """Its number; `key` is what `repr` says of it, where that is known."""
        key = repr(value) if key is None else key
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


def page_data(report: Report, *, in_parts: bool = False) -> dict[str, Any]:
    """Everything on the page; see `page_data.js` for how it is read.

    Args:
        report: What is shown.
        in_parts: Leave what only single models, tasks and pairs need to `page_parts`.
    """
    most_folds = max(
        len(score.folds) for table in report.tables for one in table.results.values() for score in one.scores.values()
    )
    return {
        "version": __version__,
        "unit": UNIT,
        "alpha": ALPHA,
        "minimum": RULE,
        "leastCoverage": LEAST_COVERAGE,
        # Of the t distribution by degrees of freedom, for intervals of differences.
        "critical": [None, *(round(float(stats.t.ppf(1 - ALPHA / 2, df)), 6) for df in range(1, most_folds + 1))],
        "metrics": METRICS,
        "higher": HIGHER_IS_BETTER,
        "unrankedSplits": UNRANKED_SPLITS,
        "labelMetric": LABEL_METRIC,
        "problems": report.problems,
        "apart": MANY_MODELS,
        "tables": [_table(table, in_parts=in_parts) for table in report.tables],
    }


def page_parts(report: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of each part: all that the page shows of one model (`0-m3`), and of one task (`0-t5`)."""
    origins = _Origins()
    for number, table in enumerate(report.tables):
        models = {model: place for place, model in enumerate(table.models)}
        tasks = {task.name: place for place, task in enumerate(table.tasks)}
        label_names = {task.name: labels(table, task) for task in table.tasks}
        unlike: dict[str, list[tuple[tuple[str, str, str], Pair | str]]] = defaultdict(list)
        for key, pair in sorted(table.pairs.items()):
            unlike[key[0]].append((key, pair))
            unlike[key[1]].append((key, pair))
        for model, place in models.items():
            shared = _Shared(origins)
            content = _results(table, [(model, task) for task in tasks], models, tasks, label_names, shared)
            pairs = [[models[a], models[b], tasks[task], *_pair(pair, shared)] for (a, b, task), pair in unlike[model]]
            further = {"pairs": pairs, "groups": _pairs_of(table, model), "adjusted": _adjusted(table, model)}
            yield f"{number}-m{place}", {"results": content, **further, "shared": shared.values}
        for task, place in tasks.items():
            shared = _Shared(origins)
            content = _results(table, [(model, task) for model in models], models, tasks, label_names, shared)
            yield f"{number}-t{place}", {"results": content, "shared": shared.values}


def _pairs_of(table: Table, model: str) -> list[list[Any] | None]:
    """For each group what `_p_values` has of a model and every other, in three lists in the order of the models."""
    rankings = {group.name: group for group in table.rankings}
    found: list[list[Any] | None] = []
    for name in table.groups:
        ranking = rankings.get(name)
        if ranking is None or model not in ranking.p_values.models:
            found.append(None)
            continue
        adjusted, alone = ranking.p_values.of(model), ranking.pair_p_values.of(model)
        found.append(
            [
                [_digits(adjusted.get(other)) for other in table.models],
                [int((model, other) in ranking.distinguished) for other in table.models],
                [_digits(alone.get(other)) for other in table.models],
            ]
        )
    return found


def _digits(p: float | None) -> float | int | None:
    """Three digits: a thousand models have a million of them."""
    if p is None or math.isnan(p):
        return None
    return 1 if p == 1 else float(f"{p:.3g}")


def _adjusted(table: Table, model: str) -> dict[int, dict[int, float | int]]:
    """Task to other model to the p-value of the two on it, adjusted for all pairs (Holm); of many models none."""
    models = {each: number for number, each in enumerate(table.models)}
    tasks = {task.name: number for number, task in enumerate(table.tasks)}
    return {
        tasks[ranking.name]: {
            models[other]: p for other, each in ranking.p_values.of(model).items() if (p := _digits(each)) is not None
        }
        for ranking in table.task_rankings
        if model in ranking.p_values.models
    }


def _table(table: Table, *, in_parts: bool) -> dict[str, Any]:
    shared = _Shared()
    models = {model: number for number, model in enumerate(table.models)}
    tasks = {task.name: number for number, task in enumerate(table.tasks)}
    label_names = {task.name: labels(table, task) for task in table.tasks}
    rankings = {group.name: group for group in table.rankings}
    first = _first_two(table)
    return {
        "settings": str(table.settings),
        # By these the page is filtered; `key` names the table in addresses, which stay true when other tables join it.
        "axes": {axis: str(value) for axis, value in asdict(table.settings).items()},
        "key": axes_name(table.settings.differences(DEFAULTS)) or "default",
        "models": [
            {"id": model, "slug": slug(model), "word": shlex.quote(model), "control": model in table.controls}
            for model in table.models
        ],
        "tasks": [
            {**_task(table, task, label_names[task.name]), "control": _against(table, task, models)}
            for task in table.tasks
        ],
        "groups": [
            {
                "name": name,
                **_group(table, name, [tasks[task] for task in members], rankings.get(name), in_parts=in_parts),
            }
            for name, members in table.groups.items()
        ],
        "records": _records(table, models),
        "environments": _environments(table),
        "isParted": in_parts,
        "brief": [_brief(table, model, tasks) for model in table.models] if in_parts else [],
        "results": [] if in_parts else _results(table, sorted(table.results), models, tasks, label_names, shared),
        "warnings": table.warnings,
        "pairs": [
            [models[one], models[other], tasks[task], *_pair(pair, shared)]
            for (one, other, task), pair in sorted(table.pairs.items())
            if not in_parts or {one, other} <= first
        ],
        # Last: what is above fills it.
        "shared": shared.values,
    }


def _first_two(table: Table) -> set[str]:
    """Models that the answer on the leaderboard may compare: those of the first two ranks of a group."""
    return {each.model for group in table.rankings for each in group.models if each.rank <= 2}


def _results(
    table: Table,
    keys: Sequence[tuple[str, str]],
    models: Mapping[str, int],
    tasks: Mapping[str, int],
    label_names: Mapping[str, Sequence[str]],
    shared: _Shared,
) -> list[dict[str, Any]]:
    return [
        {
            **_result(models[model], tasks[name], result, label_names[name], shared),
            **_beside(table, model, name),
            **_to_linear(table, model, name),
            **_to_random(table, model, name),
            **_explained(result),
        }
        for model, name in keys
        if (result := table.results.get((model, name))) is not None
    ]


def _brief(table: Table, model: str, tasks: Mapping[str, int]) -> list[list[Any]]:
    """Of each result of a model what lists of models and of tasks show, without folds."""
    listed = []
    for name, number in sorted(tasks.items()):
        if (result := table.results.get((model, name))) is None:
            continue
        task, coverage = result.task, result.coverage
        scores = [result.scores.get(metric) for metric in (task.main_metric, ranking_metric(task, result.settings))]
        means = [[_scaled(score.mean), _scaled(score.std)] if score else None for score in scores]
        share = _beside(table, model, name).get("r")
        counts = [coverage.n_scored, coverage.n_missing, 0 if meets_minimum(result) else 1]
        # The second only where models are not ranked by the main metric.
        listed.append([number, *counts, share, *means[: 1 if task.target != "regression" else 2]])
    return listed


def _records(table: Table, models: Mapping[str, int]) -> list[list[Any]]:
    """Number of a model and what its results say of it; a model has several where its results are of several states."""
    known: dict[tuple[str, str], list[Any]] = {}
    seen: set[tuple[str, int]] = set()
    for (model, _), result in sorted(table.results.items()):
        # Results of a large folder share these; comparing them by value would take seconds.
        if (model, id(result.model)) not in seen:
            seen.add((model, id(result.model)))
            known.setdefault((model, repr(asdict(result.model))), [models[model], asdict(result.model)])
    return sorted(known.values(), key=lambda each: each[0])


def _environments(table: Table) -> list[list[Any]]:
    """Versions, and how many results were made with them."""
    found: dict[str, list[Any]] = {}
    for _, result in sorted(table.results.items()):
        found.setdefault(repr(result.environment), [0, dict(result.environment)])[0] += 1
    return list(found.values())


def _against(table: Table, task: TaskLine, models: Mapping[str, int]) -> list[Any] | None:
    """The best control of a task, its score, and the difference that can be detected."""
    against = table.against_controls.get(task.name)
    if against is None:
        return None
    return [models[against.control], _scaled(against.score), _scaled(against.detectable)]


def _beside(table: Table, model: str, task: str) -> dict[str, Any]:
    """`r`, the rescaled score of a model, and `k`, the controls that come near it; left out where there is none."""
    if (against := table.against_controls.get(task)) is None or model in table.controls:
        return {}
    share = _scaled(against.rescaled.get(model))
    near = list(against.near.get(model, ()))
    return ({} if share is None else {"r": share}) | ({"k": near} if near else {})


def _to_linear(table: Table, model: str, task: str) -> dict[str, Any]:
    """`h`, the difference to the linear head: mean, ends of its interval, p, and p after Holm's correction."""
    if (found := table.to_linear.get((model, task))) is None:
        return {}
    test = found.test
    ends = [_scaled(value) for value in (test.difference, test.low, test.high)]
    return {"h": [*ends, _rounded(test.p_value), _rounded(found.holm_p)]}


def _to_random(table: Table, model: str, task: str) -> dict[str, Any]:
    """`d`, the score less that on random folds; left out where there is none."""
    found = _scaled(table.cells[model, task].to_random)
    return {} if found is None else {"d": found}


def _explained(result: TaskResult) -> dict[str, Any]:
    """`g`, the gain over covariates, and `q`, scores of permuted labels, of results that have them."""
    found: dict[str, Any] = {}
    if (gain := result.gain) is not None:
        test = gain_test(gain.scores, result.test_train_ratio)
        scores = [_scaled(gain.scores[name].mean) for name in ("covariates", "both")]
        found["g"] = [gain.covariates, gain.n, *scores, *map(_scaled, (test.difference, test.low, test.high))]
    if (drawn := result.permuted) is not None:
        spread = [_scaled(value) for value in (fmean(drawn.scores), pstdev(drawn.scores), drawn.selectivity)]
        found["q"] = [len(drawn.scores), *spread, _rounded(drawn.p_value)]
    return found


def _pair(pair: Pair | str, shared: _Shared) -> list[Any]:
    """What to compare where two models were not scored on the same entities: kind, n, folds of both; or why not.

    Where the entities are nearly the same, the folds are those of the results.
    """
    if isinstance(pair, str):
        return ["", shared.number(pair)]
    if pair.kind == "nearly":
        return [pair.kind, pair.n]
    return [pair.kind, pair.n, [_scaled(score) for score in pair.first], [_scaled(score) for score in pair.second]]


def _task(table: Table, line: TaskLine, label_names: Sequence[str]) -> dict[str, Any]:
    record = next(one.task for model in table.models if (one := table.results.get((model, line.name))) is not None)
    against, apart = table.against_controls.get(line.name), table.pairs.apart.get(line.name)
    return {
        **{key: getattr(record, key) for key in ("id", "version", "target", "entity", "family", "source", "n")},
        **{key: getattr(record, key) for key in ("data_sha256", "folds_sha256", "fold_scheme")},
        "name": line.name,
        "ranked": line.is_ranked,
        "facets": _facets(record, table.suites),
        "counted": line.is_counted,
        "metric": line.metric,
        "rankedBy": ranking_metric(record, table.settings),
        "unranked": line.why_unranked,
        "labels": label_names,
        "near": against is not None and any(against.near.values()),
        "apart": [apart.get(model, -1) for model in table.models] if apart else None,
        "inputs": dict(record.inputs),
    }


def _facets(record: TaskRecord, suites: Suites) -> dict[str, list[str]]:
    """What tasks are filtered by on the page: a name, and the values that hold for the task."""
    facets = {name: [getattr(record, name)] for name in ("family", "target", "entity", "source")}
    return {"suite": [name for name, tasks in suites.items() if record.id in tasks], **facets}


def _group(
    table: Table, name: str, tasks: Sequence[int], ranking: GroupRanking | None, *, in_parts: bool
) -> dict[str, Any]:
    means = [table.means.get((model, name)) for model in table.models]
    content: dict[str, Any] = {
        "tasks": tasks,
        "metric": group_metric(name, table.settings),
        # Of a suite, how many tasks it has in all.
        "of": len(table.suites[name]) if name in table.suites else None,
        "means": [mean and [_scaled(mean.mean), _scaled(mean.std)] for mean in means],
    }
    if ranking is None:
        return {**content, "basis": "", "ranks": [None] * len(table.models), "ties": [], "uneven": [], "p": []}
    models = {model: number for number, model in enumerate(table.models)}
    tasks_by_name = {task.name: number for number, task in enumerate(table.tasks)}
    ranks = {
        each.model: [each.rank, each.low, each.high, _scaled(each.mean), _scaled(each.std_error)]
        for each in ranking.models
    }
    return {
        **content,
        "basis": ranking.basis,
        "ranks": [ranks.get(model) for model in table.models],
        "uneven": [tasks_by_name[task] for task in ranking.uneven],
        "ties": [[models[model] for model in run] for run in ranking.ties],
        "p": _p_values(table, ranking, [each.model for each in ranking.models if each.rank == 1 or not in_parts]),
    }


def _p_values(table: Table, ranking: GroupRanking, of: Sequence[str]) -> list[list[Any]]:
    """Pairs that some models are in: p after Holm's correction over all pairs, whether they differ, p alone."""
    models = {model: number for number, model in enumerate(table.models)}
    ranked = sorted(models[each.model] for each in ranking.models)
    chosen = {models[model] for model in of if model in ranking.p_values.models} & set(ranked)
    return [
        [a, b, _rounded(ranking.p_values[pair]), pair in ranking.distinguished, _rounded(ranking.pair_p_values[pair])]
        for a in ranked
        for b in (ranked if a in chosen else chosen)
        if a < b and (pair := (table.models[a], table.models[b]))
    ]


def _result(model: int, task: int, result: TaskResult, label_names: Sequence[str], shared: _Shared) -> dict[str, Any]:
    coverage = result.coverage
    found: dict[str, Any] = {
        "m": model,
        "t": task,
        "n": [coverage.n_scored, coverage.n_missing, shared.number(coverage.scored_sha256)],
        "s": [_score(result.scores.get(metric)) for metric in METRICS[result.task.target]],
        # Model, probe, environment, command: shared by most results of a model.
        "p": [*(shared.number(*each) for each in shared.origins(result)), shared.number(result.created_at)],
    }
    if not meets_minimum(result):
        found["small"] = True
    if label_names:
        found["l"] = [_score(result.labels.get(label, {}).get(LABEL_METRIC)) for label in label_names]
    if coverage.missing_sample:
        found["x"] = shared.number(list(coverage.missing_sample))
    return found


def _score(score: Score | None) -> list[Any] | None:
    """[mean, standard deviation, fold, fold, ...]."""
    return [_scaled(score.mean), _scaled(score.std), *map(_scaled, score.folds)] if score else None


def _rounded(p: float) -> float | None:
    return None if math.isnan(p) else float(f"{p:.6g}")


def _scaled(value: float | None) -> int | None:
    return None if value is None or math.isnan(value) else round(value * UNIT)
