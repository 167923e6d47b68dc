"""Models beside the controls of a table, as a grid of text."""

import math
from typing import Final

from gene_eval.analysis.tables import Table, TaskLine

__all__ = ["CONTROLS_NOTE", "NEAR", "controls_grid", "is_near"]

NEAR: Final = "§"
CONTROLS_NOTE: Final = (
    "Each score with, in brackets, (score - best control) / (1 - best control): the share of what the best control"
    f" leaves. {NEAR} a control comes within the difference that the task can show (detectable with a chance of 80 %,"
    " the error pooled over all pairs of models) or is above the model."
)
NOTHING: Final = "–"
Grid = list[list[str]]


def is_near(table: Table, task: TaskLine) -> bool:
    """Whether a control comes within the detectable difference of any model."""
    against = table.against_controls.get(task.name)
    return against is not None and any(against.near.values())


def controls_grid(table: Table) -> Grid:
    """A line for each task that a control was scored on, a column for each model that is none; else a heading only."""
    models = [model for model in table.models if model not in table.controls]
    grid = [["task", "metric", "best control", "its score", "detectable", *models]]
    for task in table.tasks:
        if (against := table.against_controls.get(task.name)) is None:
            continue
        line = [task.name, against.metric, against.control, f"{against.score:z.3f}", _number(against.detectable)]
        for model in models:
            result, near = table.results.get((model, task.name)), bool(against.near.get(model))
            score = result.scores.get(against.metric) if result else None
            share = against.rescaled.get(model)
            text = _number(score.mean) if score else NOTHING
            text += f" ({_number(share)})" if share is not None else ""
            line.append(text + (f" {NEAR}" if near else ""))
        grid.append(line)
    return grid


def _number(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:z.3f}"
