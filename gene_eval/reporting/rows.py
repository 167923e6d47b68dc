"""Results as rows of plain values: what CSV and JSON reports hold."""

import math
from collections.abc import Iterator
from dataclasses import asdict
from statistics import fmean
from typing import Final

from gene_eval.analysis.controls import gain_test
from gene_eval.analysis.groups import group_metric
from gene_eval.analysis.heads import HeadDifference
from gene_eval.analysis.tables import LABEL_METRIC, Table, TaskLine, labels
from gene_eval.results.records import TaskResult, defined

__all__ = ["BESIDE_CONTROLS", "EXPLAINED", "TO_LINEAR", "Row", "each_row", "label_score", "mean_rows", "rows"]

BESIDE_CONTROLS: Final = (
    "best_control",
    "control_metric",
    "best_control_mean",
    "detectable",
    "rescaled",
    "is_near_control",
)
EXPLAINED: Final = ("covariates", "gain", "gain_low", "gain_high", "permuted_mean", "permuted_p", "selectivity")
TO_LINEAR: Final = ("to_linear", "to_linear_low", "to_linear_high", "to_linear_p", "to_linear_p_holm")
Row = dict[str, str | int | float | bool | None]


def rows(table: Table) -> list[Row]:
    """One row for each task and model of the table, then one for each label of its multi-label tasks.

    `level` says which: "task" or "label". What was not run has None for its scores.
    """
    return list(each_row(table))


def each_row(table: Table) -> Iterator[Row]:
    """`rows`, one at a time."""
    settings, controls = asdict(table.settings), set(table.controls)
    for task in table.tasks:
        label_names = labels(table, task)
        for model in table.models:
            cell = table.cells.get((model, task.name))
            common: Row = {
                **settings,
                "level": "task",
                "task": task.name,
                "label": "",
                "family": task.family,
                "target": task.target,
                "is_ranked": task.is_ranked,
                "model": model,
                "is_control": model in controls,
                "metric": task.metric,
                "mean": cell.mean if cell else None,
                "std": cell.std if cell else None,
                "n_task": task.n,
                "n_scored": cell.n_scored if cell else None,
                "n_missing": cell.n_missing if cell else None,
                "to_random": cell.to_random if cell else None,
                **_beside_controls(table, task, model),
                **_explained(table.results.get((model, task.name))),
                **_to_linear(table.to_linear.get((model, task.name))),
            }
            yield common
            for label in label_names:
                mean, std = label_score(table, model, task, label)
                yield {
                    **common,
                    **dict.fromkeys((*BESIDE_CONTROLS, *EXPLAINED, *TO_LINEAR, "to_random")),
                    **{"level": "label", "label": label, "metric": LABEL_METRIC, "mean": mean, "std": std},
                }


def _beside_controls(table: Table, task: TaskLine, model: str) -> Row:
    """What `BESIDE_CONTROLS` names, None where there is none."""
    against = table.against_controls.get(task.name)
    if against is None:
        return dict.fromkeys(BESIDE_CONTROLS)
    near = against.near.get(model) if (model, task.name) in table.results else None
    values = (
        against.control,
        against.metric,
        against.score,
        defined(against.detectable),
        defined(against.rescaled.get(model, math.nan)),
        None if near is None else bool(near),
    )
    return dict(zip(BESIDE_CONTROLS, values, strict=True))


def _explained(result: TaskResult | None) -> Row:
    """What `EXPLAINED` names: gain over covariates, and scores of permuted labels."""
    row: Row = dict.fromkeys(EXPLAINED)
    if result is not None and (found := result.gain) is not None:
        test = gain_test(found.scores, result.test_train_ratio)
        numbers = {"gain": test.difference, "gain_low": test.low, "gain_high": test.high}
        row |= {"covariates": found.covariates, **{name: defined(value) for name, value in numbers.items()}}
    if result is not None and (drawn := result.permuted) is not None:
        row["permuted_mean"], row["permuted_p"] = fmean(drawn.scores), drawn.p_value
        row["selectivity"] = drawn.selectivity
    return row


def _to_linear(found: HeadDifference | None) -> Row:
    """What `TO_LINEAR` names: the difference to the linear head, with its interval and p-values."""
    if found is None:
        return dict.fromkeys(TO_LINEAR)
    test = found.test
    values = (test.difference, test.low, test.high, test.p_value, found.holm_p)
    return dict(zip(TO_LINEAR, map(defined, values), strict=True))


def mean_rows(table: Table) -> list[Row]:
    """One row for each mean, by model, with the group's name as family and no task."""
    return [
        {
            **asdict(table.settings),
            "level": "family",
            "family": group,
            "is_ranked": True,
            "model": model,
            "is_control": model in table.controls,
            "metric": group_metric(group, table.settings),
            "mean": mean.mean,
            "std": mean.std,
        }
        for (model, group), mean in table.means.items()
    ]


def label_score(table: Table, model: str, task: TaskLine, label: str) -> tuple[float | None, float | None]:
    """Mean and deviation of one label of a multi-label task, None where there is none."""
    result = table.results.get((model, task.name))
    score = result.labels.get(label, {}).get(LABEL_METRIC) if result else None
    return (defined(score.mean), defined(score.std)) if score else (None, None)
