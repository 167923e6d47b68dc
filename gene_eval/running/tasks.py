"""A task as the runner needs it: entities, labels and folds as arrays, and what a result records about them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from builders import (
    ENTITY_COLUMNS,
    FOLD_SCHEME,
    Built,
    RawFiles,
    TaskConfig,
    configs,
    entity_keys,
    is_builder_spec,
    load,
    select,
    subtasks,
)
from builders.errors import BuilderError, TaskCodeError
from gene_eval.results.records import TaskRecord

__all__ = ["Failure", "Task", "choose", "load_tasks", "make_task"]


@dataclass(frozen=True)
class Failure:
    """A task that could not be scored, and why, in one line; `model` is empty if it fails for every model."""

    task: str
    model: str
    reason: str


@dataclass(frozen=True)
class Task:
    """A task in arrays.

    Args:
        record: What a result says about it.
        entities: Entity column -> (n,) identifiers.
        y: Labels as `gene_eval.core.probe` takes them.
        folds: (n,) fold numbers.
        gene_table: Config of the genes whose vectors are scored.
    """

    record: TaskRecord
    entities: Mapping[str, Sequence[str]]
    y: npt.NDArray[Any]
    folds: npt.NDArray[np.int8]
    gene_table: str


def choose(patterns: Sequence[str], *, split_labels: bool = False) -> dict[str, list[str]]:
    """Which tasks to load for the patterns of a command line, and which of their labels as tasks of their own.

    Args:
        patterns: Task names or globs; `reactome_pathways/*` means the labels of that task, `file.py:Class` the tasks of
            a builder of the user's own. None means every ranked task.
        split_labels: Whether the labels of every chosen multi-label task are tasks as well.

    Returns:
        Task name -> parts of it: "" for the task itself, else a glob over its labels.

    Raises:
        UnknownTaskError: A pattern matches no task; a user's file that cannot be run is left to `load_tasks`.
    """
    chosen: dict[str, list[str]] = {}
    for pattern in patterns or ["*"]:
        name, _, label = (pattern, "", "") if is_builder_spec(pattern) else pattern.partition("/")
        try:
            matches = select([name])
        except TaskCodeError:
            # A user's file that cannot be run is a task that fails when it is loaded; the others go on.
            chosen[name] = [""]
            continue
        if label and name not in matches:
            # A glob over tasks asks for the labels of those that have any.
            matches = [match for match in matches if _config(match).target == "multilabel"] or matches
        for match in matches:
            parts = chosen.setdefault(match, [])
            parts += [part for part in _parts(match, label, split_labels=split_labels) if part not in parts]
    if not patterns:
        chosen = {name: parts for name, parts in chosen.items() if _config(name).ranked}
    order = [name for name in select([]) if name in chosen]
    return {name: chosen[name] for name in [*order, *(name for name in chosen if is_builder_spec(name))]}


def _parts(name: str, label: str, *, split_labels: bool) -> list[str]:
    if label:
        return [label]
    return ["", "*"] if split_labels and _config(name).target == "multilabel" else [""]


def _config(name: str) -> TaskConfig:
    config = configs()[name]
    assert isinstance(config, TaskConfig)
    return config


def load_tasks(chosen: Mapping[str, Sequence[str]], raw: RawFiles) -> Iterator[Task | Failure]:
    """Load what `choose` chose, one after the other; what cannot be built is a `Failure`, and the rest goes on."""
    for name, parts in chosen.items():
        try:
            built = load(name, raw)
        except BuilderError as error:
            yield Failure(task=name, model="", reason=str(error))
            continue
        ready: dict[str, Built] = {}
        for part in parts:
            try:
                ready |= {item.config.name: item for item in (subtasks(built, part) if part else [built])}
            except BuilderError as error:
                yield Failure(task=f"{name}/{part}", model="", reason=str(error))
        yield from map(make_task, ready.values())


def make_task(built: Built) -> Task:
    """Turn a dataset with entity columns, `label` and `fold` into arrays, and take the hashes that results record."""
    config, dataset = built.config, built.dataset
    assert isinstance(config, TaskConfig)
    columns = ENTITY_COLUMNS[config.entity]
    # A slice reads a column at once; to iterate over a column is to format row after row.
    entities = {column: dataset[column][:] for column in columns}
    values, folds = dataset["label"][:], np.asarray(dataset["fold"][:], dtype=np.int8)
    feature = dataset.features["label"]
    names: list[str] = getattr(getattr(feature, "feature", feature), "names", [])
    keys = entity_keys(entities.values())
    record = TaskRecord(
        id=config.name,
        version=str(config.version),
        target=config.target,
        entity=config.entity,
        family=config.family,
        source=config.source,
        n=len(keys),
        data_sha256=_sha256([*names, *_sorted_lines(keys, values)]),
        fold_scheme=FOLD_SCHEME,
        folds_sha256=_sha256(_sorted_lines(keys, folds.tolist())),
        ranked=config.ranked,
        figure2_family=config.figure2_family or config.family,
        label_names=tuple(names),
        inputs=built.audit.inputs,
        audit=built.audit.counts(),
    )
    return Task(record, entities, _labels(values, config.target, len(names)), folds, config.gene_table)


def _labels(values: list[Any], target: str, n_labels: int) -> npt.NDArray[Any]:
    if target != "multilabel":
        return np.asarray(values, dtype=np.float64 if target == "regression" else np.int64)
    y = np.zeros((len(values), n_labels), dtype=np.int8)
    rows = np.repeat(np.arange(len(values)), [len(cell) for cell in values])
    y[rows, [label for cell in values for label in cell]] = 1
    return y


def _sorted_lines(keys: Sequence[str], values: Sequence[Any]) -> Iterator[str]:
    return (f"{key}\t{value}" for key, value in sorted(zip(keys, map(str, values), strict=True)))


def _sha256(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()
