"""What reports say about results, as frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from gene_eval.analysis.tables import Report, Table
from gene_eval.core.errors import UnknownNameError
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.reporting.rows import BESIDE_CONTROLS, EXPLAINED, TO_LINEAR, rows
from gene_eval.results.records import TaskResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AXES", "Level", "scores", "beside_controls", "explained", "to_linear"]

Level = Literal["scores", "folds", "labels"]
LEVELS = ("scores", "folds", "labels")
AXES = ("split", "head", "protocol", "shots", "seed")
_COMMON = ("model", "task", *AXES, "engine", "family", "target", "n_task", "n_scored", "metric", "is_main")


def scores(results: Sequence[TaskResult], level: Level) -> pd.DataFrame:
    """See `gene_eval.running.outcome.Results.to_frame`."""
    import pandas as pd

    if level not in LEVELS:
        raise UnknownNameError(level, kind="level", known=LEVELS)
    listed = [row for result in results for row in _rows(result, level)]
    numbers = {"scores": ["mean", "std"], "folds": ["fold", "score"], "labels": ["label", "mean", "std"]}[level]
    frame = pd.DataFrame(listed, columns=[*_COMMON, *numbers])
    return frame.astype({name: "float64" for name in ("mean", "std", "score") if name in frame})


def _rows(result: TaskResult, level: Level) -> Iterator[dict[str, Any]]:
    settings = result.settings
    common = {
        "model": result.model.id,
        "task": result.task.id,
        **{name: getattr(settings, name) for name in (*AXES, "engine")},
        "family": result.task.family,
        "target": result.task.target,
        "n_task": result.coverage.n_task,
        "n_scored": result.coverage.n_scored,
    }
    if level == "labels":
        main = MAIN_METRIC["binary"]
        for label, scores in result.labels.items():
            for metric, score in scores.items():
                numbers = {"label": label, "mean": score.mean, "std": score.std}
                yield {**common, "metric": metric, "is_main": metric == main, **numbers}
        return
    main = result.task.main_metric
    for metric, score in result.scores.items():
        named = {**common, "metric": metric, "is_main": metric == main}
        if level == "scores":
            yield {**named, "mean": score.mean, "std": score.std}
        else:
            yield from ({**named, "fold": fold, "score": value} for fold, value in enumerate(score.folds))


def beside_controls(report: Report) -> pd.DataFrame:
    """See `gene_eval.running.outcome.Results.beside_controls`."""
    import pandas as pd

    found = [
        {**_settings(report, table), **{name: row[name] for name in ("task", "model", "metric", "mean")}}
        | {name: row[name] for name in BESIDE_CONTROLS}
        for table in report.tables
        for row in rows(table)
        if row["level"] == "task" and row["is_near_control"] is not None
    ]
    return pd.DataFrame(found, columns=None if found else ["task", "model", "metric", "mean", *BESIDE_CONTROLS])


def to_linear(report: Report) -> pd.DataFrame:
    """See `gene_eval.running.outcome.Results.to_linear`."""
    import pandas as pd

    columns = ["task", "model", "head", "metric", "mean", *TO_LINEAR]
    found = [
        {**_settings(report, table), **{name: row[name] for name in columns}}
        for table in report.tables
        for row in rows(table)
        if row["level"] == "task" and row["to_linear"] is not None
    ]
    return pd.DataFrame(found, columns=None if found else columns)


def explained(report: Report) -> pd.DataFrame:
    """See `gene_eval.running.outcome.Results.explained`."""
    import pandas as pd

    columns = ["task", "model", "metric", "mean", *EXPLAINED]
    found = [
        {**_settings(report, table), **{name: row[name] for name in columns}}
        for table in report.tables
        for row in rows(table)
        if row["level"] == "task" and any(row[name] is not None for name in EXPLAINED)
    ]
    return pd.DataFrame(found, columns=None if found else columns)


def _settings(report: Report, table: Table) -> dict[str, Any]:
    return {"settings": str(table.settings)} if len(report.tables) > 1 else {}
