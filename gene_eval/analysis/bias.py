"""How scores depend on how much is published on the genes that are tested."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gene_eval.analysis.pairing import PredictionsOf
from gene_eval.core.statistics.strata import SLOPE_STRATA, StratumScores, score_strata
from gene_eval.errors import ReportError
from gene_eval.results.predictions import score_columns
from gene_eval.results.records import Settings, TaskRecord, TaskResult

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["STRATA", "TaskBias", "bias"]

STRATA: Final = {"tertile": 3, "quintile": SLOPE_STRATA}
_GENES = ("symbol", "symbol_a", "symbol_b")


@dataclass(frozen=True, slots=True)
class TaskBias:
    """Scores of a model on a task by study depth.

    Attributes:
        task: The task.
        model: Model id.
        settings: How it was scored.
        metric: Metric of the parts: the task's main metric, "spearman" for numbers.
        n: Entities with predictions and a known publication count.
        n_unknown: Entities without a known count, which are left out.
        strata: "tertile" and "quintile" to the scores; centers are means of log10(1 + publications), for a pair the
            mean of both genes.
    """

    task: TaskRecord
    model: str
    settings: Settings
    metric: str
    n: int
    n_unknown: int
    strata: Mapping[str, StratumScores]

    @property
    def slope(self) -> tuple[float, float, float]:
        """Score for ten times the publications, by least squares over quintiles, and its 95 % interval."""
        found = self.strata["quintile"]
        return found.slope, found.slope_low, found.slope_high


def bias(
    results: Iterable[TaskResult], publications: Mapping[str, float], predictions: PredictionsOf
) -> tuple[list[TaskBias], list[str]]:
    """Score every result by tertile and quintile of publication count.

    Args:
        results: Of any models, tasks and settings.
        publications: Symbol to count; genes without one are left out.
        predictions: Gives what was predicted.

    Returns:
        One for each result that can be scored so, and a line for each that cannot.

    Raises:
        ReportError: None can be scored so.
    """
    found: list[TaskBias] = []
    lines: list[str] = []
    for result in results:
        where = f"{result.model.id} on {result.task.id}"
        table = predictions(result)
        if table is None:
            lines.append(f"{where}: no predictions were saved; run it again with --predictions")
            continue
        made = _of_result(result, table, publications)
        if isinstance(made, str):
            lines.append(f"{where}: {made}")
        else:
            found.append(made)
    if not found:
        msg = lines[0] if lines else "no results; make some with: gene-bench run MODEL -o DIR"
        raise ReportError(msg)
    return found, lines


def _of_result(result: TaskResult, table: "pa.Table", publications: Mapping[str, float]) -> TaskBias | str:
    columns = [name for name in _GENES if name in table.column_names]
    if not columns:
        return "its rows name no gene"
    counts = [np.array([publications.get(gene, np.nan) for gene in table[name].to_pylist()]) for name in columns]
    depth = np.mean([np.log10(1 + count) for count in counts], axis=0)
    known = np.flatnonzero(~np.isnan(depth))
    if len(known) < SLOPE_STRATA:
        return f"{len(known)} of its {len(depth)} entities have a publication count; expected at least {SLOPE_STRATA}"
    y, values = _arrays(result.task, table)
    folds = table["fold"].to_numpy()
    strata = {
        name: score_strata(y[known], values[known], folds[known], depth[known], n_strata=size)
        for name, size in STRATA.items()
    }
    metric = {"binary": "roc_auc", "multiclass": "roc_auc_ovr_macro", "multilabel": "roc_auc_macro"}
    return TaskBias(
        task=result.task,
        model=result.model.id,
        settings=result.settings,
        metric=metric.get(result.task.target, "spearman"),
        n=len(known),
        n_unknown=len(depth) - len(known),
        strata=strata,
    )


def _arrays(task: TaskRecord, table: "pa.Table") -> tuple[np.ndarray, np.ndarray]:
    """Labels as `score_strata` takes them, one column for each class or label, and predictions."""
    values = np.column_stack([table[name].to_numpy() for name in score_columns(task.target, task.label_names)])
    label = table["label"].combine_chunks()
    if task.target == "regression":
        return label.to_numpy(), values[:, 0]
    if task.target == "binary":
        return label.to_numpy()[:, np.newaxis] == 1, values
    if task.target == "multiclass":
        return label.to_numpy()[:, np.newaxis] == np.arange(len(task.label_names)), values
    y = np.zeros(values.shape, dtype=bool)
    y[np.repeat(np.arange(len(y)), label.value_lengths().to_numpy()), label.flatten().to_numpy()] = True
    return y, values
