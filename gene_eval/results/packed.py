"""Results as rows of a table: records that many share once each, scores as one array of numbers, the rest as JSON.

A result read from such a row equals the one read from its file. Its scores and labels are made when they are asked for,
so that 400,000 results take the room of their numbers.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gene_eval.results.records import (
    OPTIONAL,
    Coverage,
    ModelRecord,
    ProbeRecord,
    Score,
    Settings,
    TaskRecord,
    TaskResult,
)
from gene_eval.results.schema import read_record, read_value

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RECORDS", "SHARED", "TEXTS", "columns_of", "results_of"]

Layout = Mapping[str, tuple[int, int]]
"""Metric to where its mean stands among the numbers of a result, and how many folds follow the standard deviation."""
# Records that hold no others.
RECORDS: Mapping[str, type] = {"task": TaskRecord, "model": ModelRecord, "settings": Settings, "coverage": Coverage}
SHARED = (*RECORDS, "params", "environment", "layout")
"""Columns of JSON in which many rows have the same."""
TEXTS = ("convergence", "timing", "created_at", "rest")
"""Columns of text in which every row has its own."""
TYPES = {each.name: each.type for each in fields(TaskResult)}
NOTHING: dict[str, Any] = {}
# One for all results: six mappings of nothing are 400 bytes for each.
WITHOUT = {
    each.name: NOTHING
    for each in fields(TaskResult)
    if each.name in OPTIONAL and each.default_factory is not MISSING and each.default_factory() == NOTHING
}


class _Scores(Mapping[str, Score]):
    """Scores by metric, made of the numbers of a column; the last one is kept, for which reports ask ten times."""

    __slots__ = ("_last", "_layout", "_metric", "_numbers", "_start")

    def __init__(self, layout: Layout, numbers: npt.NDArray[np.float64], start: int) -> None:
        self._layout, self._numbers, self._start = layout, numbers, start
        self._metric: str | None = None
        self._last: Score | None = None

    def __getitem__(self, metric: str) -> Score:
        if self._last is not None and metric == self._metric:
            return self._last
        offset, n_folds = self._layout[metric]
        first = self._start + offset
        mean, std, *folds = self._numbers[first : first + n_folds + 2].tolist()
        self._metric, self._last = metric, Score(mean, std, tuple(folds))
        return self._last

    def get(self, metric: str, default: Any = None) -> Any:
        """As of any mapping, without an error to catch."""
        return self[metric] if metric in self._layout else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._layout)

    def __len__(self) -> int:
        return len(self._layout)

    def __contains__(self, metric: object) -> bool:
        return metric in self._layout


class _Labels(Mapping[str, Mapping[str, Score]]):
    """Scores by label and metric."""

    __slots__ = ("_layouts", "_numbers", "_start")

    def __init__(self, layouts: Mapping[str, Layout], numbers: npt.NDArray[np.float64], start: int) -> None:
        self._layouts, self._numbers, self._start = layouts, numbers, start

    def __getitem__(self, label: str) -> Mapping[str, Score]:
        return _Scores(self._layouts[label], self._numbers, self._start)

    def get(self, label: str, default: Any = None) -> Any:
        """As of `_Scores`."""
        return self[label] if label in self._layouts else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)

    def __len__(self) -> int:
        return len(self._layouts)


class _Block(Mapping[str, Any]):
    """A block of JSON, read when it is asked for."""

    __slots__ = ("_column", "_kind", "_row")

    def __init__(self, column: "pa.Array", row: int, kind: Any) -> None:
        self._column, self._row, self._kind = column, row, kind

    def _read(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = read_value(self._kind, json.loads(self._column[self._row].as_py()), "")
        return found

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def columns_of(results: Sequence[TaskResult]) -> dict[str, list[Any]]:
    """Column to one value for each result: text, and for "numbers" a list of floats."""
    rows = [_row(result) for result in results]
    return {name: [row[name] for row in rows] for name in (*SHARED, *TEXTS, "numbers")}


def _row(result: TaskResult) -> dict[str, Any]:
    numbers: list[float] = []
    layout = {
        "scores": _lay_out(result.scores, numbers),
        "labels": {label: _lay_out(scores, numbers) for label, scores in result.labels.items()},
    }
    rest = {name: value for name in OPTIONAL if (value := getattr(result, name))}
    blocks = {
        **{name: _flat(getattr(result, name)) for name in RECORDS},
        "params": result.probe.params,
        "environment": result.environment,
        "layout": layout,
        "convergence": result.probe.convergence,
        "timing": result.timing,
    }
    # An undefined number is NaN here, which Python's JSON has and the result files have not.
    texts: dict[str, Any] = {name: json.dumps(block, ensure_ascii=False) for name, block in blocks.items()}
    made = TaskResult(result.task, result.model, result.probe, result.coverage, {}, **rest) if rest else None
    kept = {name: value for name, value in asdict(made).items() if name in rest} if made else None
    texts["rest"] = None if kept is None else json.dumps(kept, ensure_ascii=False)
    return {**texts, "created_at": result.created_at, "numbers": numbers}


def _flat(record: Any) -> dict[str, Any]:
    """Field to value of a record that holds no other, as `asdict` without its copies."""
    return {each.name: getattr(record, each.name) for each in fields(record)}


def _lay_out(scores: Mapping[str, Score], numbers: list[float]) -> dict[str, tuple[int, int]]:
    layout = {}
    for metric, score in scores.items():
        layout[metric] = (len(numbers), len(score.folds))
        numbers += [score.mean, score.std, *score.folds]
    return layout


def results_of(table: "pa.Table", made: dict[tuple[str, str], Any]) -> Iterator[TaskResult]:
    """The results of the rows of a table, whose columns `SHARED` are dictionaries.

    Args:
        table: Columns `SHARED`, `TEXTS` and "numbers".
        made: What was made of the texts of other tables, so that results of all share it; it is added to.

    Raises:
        ResultError, ValueError, KeyError: The table holds something else.
    """
    shared = [_shared(table[name].combine_chunks(), name, made) for name in SHARED]
    convergence, timing, rest, created = (
        table[name].combine_chunks() for name in ("convergence", "timing", "rest", "created_at")
    )
    listed = table["numbers"].combine_chunks()
    starts, numbers = listed.offsets.to_numpy(), listed.values.to_numpy()
    further = dict(zip(np.flatnonzero(rest.is_valid()).tolist(), rest.drop_null().to_pylist(), strict=True))
    for row, created_at in enumerate(created.to_pylist()):
        task, model, settings, coverage, params, environment, (layout, layouts) = (
            values[places[row]] for values, places in shared
        )
        start = int(starts[row])
        yield TaskResult(
            task,
            model,
            ProbeRecord(settings, params, _Block(convergence, row, TYPES["curve"])),
            coverage,
            _Scores(layout, numbers, start),
            _Labels(layouts, numbers, start) if layouts else NOTHING,
            environment,
            _Block(timing, row, TYPES["timing"]),
            created_at,
            **(WITHOUT | _further(further[row]) if row in further else WITHOUT),
        )


def _shared(column: "pa.DictionaryArray", name: str, made: dict[tuple[str, str], Any]) -> tuple[list[Any], list[int]]:
    """What the distinct texts of a column say, and which of them each row has."""
    keys = [(name, text) for text in column.dictionary.to_pylist()]
    for key in keys:
        if key not in made:
            made[key] = _record(*key)
    return [made[key] for key in keys], column.indices.to_pylist()


def _record(name: str, text: str) -> Any:
    if name == "layout":
        return _layouts(text)
    content = json.loads(text)
    if name in RECORDS:
        return read_record(RECORDS[name], content)
    return read_value(TYPES["curve" if name == "params" else name], content, "")


def _layouts(text: str) -> tuple[Layout, Mapping[str, Layout]]:
    content = json.loads(text)
    layouts = {
        label: {metric: (at, n) for metric, (at, n) in each.items()} for label, each in content["labels"].items()
    }
    return {metric: (at, n) for metric, (at, n) in content["scores"].items()}, layouts


def _further(text: str) -> dict[str, Any]:
    return {name: read_value(TYPES[name], value, name) for name, value in json.loads(text).items()}
