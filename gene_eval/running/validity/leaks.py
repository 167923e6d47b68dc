"""Leaks: labels that texts state, labels made from what vectors are made from, and tasks that repeat each other."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from builders import RawFiles, load
from builders.errors import BuilderError
from gene_eval.analysis.groups import OVERALL
from gene_eval.analysis.rankings import GroupRanking
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.statistics.overlap import effective_number, effective_weights, task_overlap
from gene_eval.core.words import carries, label_words
from gene_eval.running.outcome import Failure, Results
from gene_eval.running.tasks import TaskArrays, collect_tasks
from gene_eval.running.validity.label_texts import label_names
from model_adapters import describe
from model_adapters.combined import ShuffledVectors
from model_adapters.graph.access import told_by_graph
from model_adapters.registry import trained_on

__all__ = ["LABEL_SOURCE", "STATED", "TEXT_STATES", "Leaks", "find_leaks"]

STATED = 0.2
"""Share of positives whose texts have words of the label, minus that of negatives, from which texts state the label."""
TEXT_STATES, LABEL_SOURCE = "text-states-label", "label-source"
MASK = "mask=labels"


@dataclass(frozen=True)
class Leaks:
    """What was found.

    Attributes:
        labels: One row for each label: words, share of positives and of negatives whose text has any, difference, flag.
        tasks: One row for each task: mean difference of its labels, flag, weight among tasks that repeat each other.
        overlap: (T, T) of the tasks, in the order of `tasks`.
        effective: Effective number of tasks.
        masked: One row for each model and task scored with and without these words: score, masked score, difference.
        flags: One row for each model and task whose score a leak may explain, and which leak.
        means: One row for each model with a score on every ranked task: plain mean, and weighted by `weight`.
        rankings: "all cells" and "without flagged cells" to overall ranks; tasks with a flagged cell of any model are
            left out for all models.
        failures: Tasks that could not be loaded.
    """

    labels: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    overlap: npt.NDArray[np.float64]
    effective: float
    masked: list[dict[str, Any]]
    flags: list[dict[str, Any]]
    means: list[dict[str, Any]]
    rankings: dict[str, GroupRanking]
    failures: list[Failure]


def find_leaks(
    tasks: Any = (), *, results: Results | None = None, data_dir: str | Path | None = None, column: str = "description"
) -> Leaks:
    """Look for leaks in tasks, and in results on them.

    Args:
        tasks: As `gene_eval.run` takes them; by default, the tasks of `results`.
        results: Of any models.
        data_dir: Folder with raw files.
        column: What text models read of the gene table.

    Raises:
        BuilderError: A task does not exist, or the gene table cannot be built.
    """
    raw = RawFiles(None if data_dir is None else Path(data_dir).expanduser())
    wanted = tasks or (list(results.tasks) if results else ())
    arrays: list[TaskArrays] = []
    failures: list[Failure] = []
    for item in collect_tasks(wanted, raw):
        (failures if isinstance(item, Failure) else arrays).append(item)
    labels: list[dict[str, Any]] = []
    stated: dict[str, float] = {}
    for task in arrays:
        found = _stated(task, raw, column)
        labels += found
        stated[task.record.id] = float(np.mean([row["difference"] for row in found])) if found else float("nan")
    overlap = _overlaps(arrays)
    weights = effective_weights(overlap) if arrays else np.zeros(0)
    of_tasks: list[dict[str, Any]] = [
        {
            "task": task.record.id,
            "stated": stated[task.record.id],
            "flag": TEXT_STATES if stated[task.record.id] >= STATED else "",
            "weight": float(weight),
        }
        for task, weight in zip(arrays, weights, strict=True)
    ]
    found_in = list(results or ())
    flags = _flags(found_in, stated)
    return Leaks(
        labels=labels,
        tasks=of_tasks,
        overlap=overlap,
        effective=effective_number(overlap) if arrays else 0.0,
        masked=_masked(found_in),
        flags=flags,
        means=_means(results, {row["task"]: row["weight"] for row in of_tasks}) if results else [],
        rankings=_rankings(results, {row["task"] for row in flags}) if results else {},
        failures=failures,
    )


def _stated(task: TaskArrays, raw: RawFiles, column: str) -> list[dict[str, Any]]:
    """A row for each label of a task about genes."""
    names = label_names(task.record)
    if not names or "symbol" not in task.entities:
        return []
    genes = load(task.gene_table, raw).dataset
    if column not in genes.column_names:
        message = f"the table {task.gene_table} has no column {column!r}; it has {', '.join(genes.column_names)}"
        raise BuilderError(message)
    text = dict(zip(genes["symbol"][:], genes[column][:], strict=True))
    texts = [text.get(symbol) or "" for symbol in task.entities["symbol"]]
    y = _columns(task)
    rows = []
    for number, name in enumerate(names):
        words = label_words(name)
        has = carries(texts, words)
        positive = y[:, number]
        shares = [float(has[side].mean()) if side.any() else float("nan") for side in (positive, ~positive)]
        rows.append(
            {
                "task": task.record.id,
                "label": name,
                "words": " ".join(words),
                "positives": int(positive.sum()),
                "share_of_positives": shares[0],
                "share_of_negatives": shares[1],
                "difference": shares[0] - shares[1],
                "flag": TEXT_STATES if shares[0] - shares[1] >= STATED else "",
            }
        )
    return rows


def _columns(task: TaskArrays) -> npt.NDArray[np.bool_]:
    """(n, L) which label applies."""
    if task.record.target == "multilabel":
        return task.y.astype(bool)
    if task.record.target == "multiclass":
        return np.asarray(task.y[:, np.newaxis] == np.arange(len(task.record.label_names)))
    return np.asarray(task.y[:, np.newaxis] == 1)


def _overlaps(tasks: Sequence[TaskArrays]) -> npt.NDArray[np.float64]:
    overlap = np.eye(len(tasks))
    rows = [{key: row for row, key in enumerate(task.keys)} for task in tasks]
    columns = [None if task.record.target == "regression" else _columns(task) for task in tasks]
    for i in range(len(tasks)):
        for j in range(i):
            first, second = columns[i], columns[j]
            if first is None or second is None or tasks[i].record.entity != tasks[j].record.entity:
                continue
            shared = [key for key in tasks[i].keys if key in rows[j]]
            a, b = first[[rows[i][key] for key in shared]], second[[rows[j][key] for key in shared]]
            overlap[i, j] = overlap[j, i] = task_overlap(a, b)
    return overlap


def _masked(results: Sequence[Any]) -> list[dict[str, Any]]:
    scores = {(result.model.id, result.task.id, result.settings): result for result in results}
    rows = []
    for (model, task, settings), result in scores.items():
        if MASK not in model:
            continue
        plain = scores.get((_unmasked(model), task, settings))
        if plain is not None:
            metric = MAIN_METRIC[result.task.target]
            score, without = plain.scores[metric].mean, result.scores[metric].mean
            names = {"model": _unmasked(model), "task": task, "settings": str(settings), "metric": metric}
            rows.append({**names, "score": score, "masked": without, "difference": score - without})
    return rows


def _unmasked(model: str) -> str:
    """The id of the same model that reads everything.

    >>> _unmasked("bag-of-words:mask=labels"), _unmasked("org/m:input=summary,mask=labels")
    ('bag-of-words', 'org/m:input=summary')
    >>> _unmasked("shuffled:tfidf:mask=labels,input=name+random:dim=4")
    'shuffled:tfidf:input=name+random:dim=4'
    """
    return re.sub(rf"[:,]{MASK}(?=[+,]|$)", "", model.replace(f":{MASK},", ":"))


def _flags(results: Sequence[Any], stated: dict[str, float]) -> list[dict[str, Any]]:
    family = {name: info.family for name, info in describe().items()}
    rows = []
    for result in results:
        model, task = result.model, result.task.id
        graph = re.search(r"graph=([^,]+)", result.settings.head)
        globs = (*trained_on(model.adapter, model.options), *told_by_graph(graph[1] if graph else ""))
        flags = []
        if any(fnmatch(task, glob) for glob in globs):
            flags.append(LABEL_SOURCE)
        if _reads_text(model.adapter, model.options, family) and stated.get(task, 0.0) >= STATED:
            flags.append(TEXT_STATES)
        rows += [{"model": model.id, "task": task, "flag": flag} for flag in flags]
    return rows


def _reads_text(adapter: str, options: Mapping[str, Any], family: Mapping[str, str]) -> bool:
    """Whether the vectors of a gene, or any part of them, come from its text with the words of labels in it."""
    if adapter == ShuffledVectors.adapter:
        return False
    parts = any(_reads_text(part["adapter"], part["options"], family) for part in options.get("parts", ()))
    return parts or (family.get(adapter) == "text" and options.get("mask") != "labels")


def _means(results: Results, weights: dict[str, float]) -> list[dict[str, Any]]:
    rows = []
    for table in results.report.tables:
        tasks = [task for task in table.groups.get(OVERALL, ()) if task in weights]
        for model in table.models:
            cells = [table.cells.get((model, task)) for task in tasks]
            values = [cell.mean for cell in cells if cell and cell.mean is not None]
            if tasks and len(values) == len(tasks):
                weighted = float(np.average(values, weights=[weights[task] for task in tasks]))
                names = {"settings": str(table.settings), "model": model, "tasks": len(tasks)}
                rows.append({**names, "mean": float(np.mean(values)), "weighted_mean": weighted})
    return rows


def _rankings(results: Results, flagged: set[str]) -> dict[str, GroupRanking]:
    kept = replace(results, results=[result for result in results if result.task.id not in flagged])
    found: dict[str, GroupRanking] = {}
    for name, each in (("all cells", results), ("without flagged cells", kept)):
        for group in each.report.tables[0].rankings if each.results else ():
            if group.name == OVERALL:
                found[name] = group
    return found
