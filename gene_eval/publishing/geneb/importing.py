"""Published scores as results: GENEB's submission files, and tables `model,task,regime,metric,value[,sd]`.

A result made here says in `imported` where it is from, and has no folds, hashes or predictions: it is a number that
somebody else computed. Rows `category:NAME` of a table are the published means over the tasks of a category, which are
kept as results too, because tasks are not published for every model; rows `macro` and `micro` follow from them and are
only compared with them.
"""

import csv
import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from builders.sequences.config import SequenceConfig
from gene_eval.errors import ResultError
from gene_eval.publishing.geneb.published_models import TITLES, parameters_of
from gene_eval.publishing.geneb.submission import METRICS, REGIMES, read_json, tasks_by_upstream_id
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Score, TaskRecord, TaskResult
from gene_eval.results.settings import Settings
from gene_eval.text import did_you_mean

__all__ = ["IMPORTED", "category_sizes", "read_scores"]

IMPORTED: Final = "imported"
"""Adapter of a model whose scores were not computed here."""
CATEGORY: Final = "category:"
COLUMNS: Final = ("model", "task", "regime", "metric", "value")
ROUNDING: Final = 5e-4


@dataclass(frozen=True)
class _Number:
    """One score of a table or submission."""

    task: str
    regime: str
    metric: str
    value: float
    sd: float = math.nan


def category_sizes() -> dict[str, int]:
    """Category -> its number of tasks in GENEB."""
    sizes: dict[str, int] = {}
    for config in tasks_by_upstream_id().values():
        sizes[config.category] = sizes.get(config.category, 0) + 1
    return sizes


def read_scores(path: str | Path) -> list[TaskResult]:
    """Results of a submission (.json) or of a table of scores (.csv).

    Raises:
        ResultError: The file is neither, has an unknown task, regime or metric, or a score out of range.
    """
    path = Path(path)
    if path.suffix == ".json":
        content = read_json(path)
        numbers = [
            _Number(task, regime, metric, float(scores[metric]))
            for regime, rows in content["results"].items()
            for task, scores in rows.items()
            for metric in METRICS
            if scores.get(metric) is not None
        ]
        meta = {name: value for name, value in content.get("meta", {}).items() if value not in ("", None)}
        return list(_results(content["model_id"], numbers, _origin(path) | {"form": "GENEB submission 1.0"}, meta))
    by_model = _read_table(path)
    origin = _origin(path) | {"form": "table of published scores"}
    return [result for model, numbers in by_model.items() for result in _results(model, numbers, origin, {})]


def _origin(path: Path) -> dict[str, object]:
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _read_table(path: Path) -> dict[str, list[_Number]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"cannot read {path}: {getattr(error, 'strerror', None) or error}"
        raise ResultError(msg) from error
    if not rows or not set(COLUMNS) <= set(rows[0]):
        found = ", ".join(map(str, rows[0])) if rows else "no row"
        msg = f"{path} has {found}; expected a table with {', '.join(COLUMNS)}, or a GENEB submission (.json)"
        raise ResultError(msg)
    by_model: dict[str, list[_Number]] = {}
    known = {*tasks_by_upstream_id(), *(f"{CATEGORY}{name}" for name in category_sizes()), "macro", "micro"}
    lines: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{path}, line {number}"
        if not row["model"]:
            msg = f"{where}: no model"
            raise ResultError(msg)
        checked = _checked(row, known, where=where)
        first = lines.setdefault((row["model"], checked.task, checked.regime, checked.metric), number)
        if first != number:
            msg = f"{where}: {checked.metric} of {row['model']} is also on line {first}; expected one for each task"
            raise ResultError(msg)
        by_model.setdefault(row["model"], []).append(checked)
    for model, numbers in by_model.items():
        _check_means(model, numbers, where=str(path))
    return by_model


def _checked(row: Mapping[str, Any], known: Iterable[str], *, where: str) -> _Number:
    for name, value, choices in (
        ("task", row["task"], known),
        ("regime", row["regime"], REGIMES),
        ("metric", row["metric"], METRICS),
    ):
        if value not in choices:
            msg = f"{where}: unknown {name} {value!r}; {did_you_mean(str(value), list(choices))}"
            raise ResultError(msg)
    try:
        value, sd = float(row["value"]), float(row.get("sd") or "nan")
    except (TypeError, ValueError) as error:
        msg = f"{where}: value is {row['value']!r}, expected a number"
        raise ResultError(msg) from error
    if not -1 <= value <= 1:
        msg = f"{where}: {row['metric']} is {value:g}, expected -1 to 1"
        raise ResultError(msg)
    return _Number(row["task"], row["regime"], row["metric"], value, sd)


def _check_means(model: str, numbers: Sequence[_Number], *, where: str) -> None:
    """Published means over categories and tasks follow from those of the categories, if all are there."""
    sizes = category_sizes()
    for regime in REGIMES:
        found = {each.task: each.value for each in numbers if (each.regime, each.metric) == (regime, "MCC")}
        values = {name: found[CATEGORY + name] for name in sizes if CATEGORY + name in found}
        if len(values) < len(sizes):
            continue
        expected = {
            "macro": math.fsum(values.values()) / len(values),
            "micro": math.fsum(values[name] * size for name, size in sizes.items()) / sum(sizes.values()),
        }
        for name, mean in expected.items():
            if name in found and abs(found[name] - mean) > ROUNDING:
                msg = f"{where}: {name} of {model} ({regime}) is {found[name]:g}, but its categories give {mean:.5f}"
                raise ResultError(msg)


def _results(
    model: str, numbers: Iterable[_Number], origin: Mapping[str, object], meta: Mapping[str, object]
) -> Iterator[TaskResult]:
    params = meta.get("params") or parameters_of(model)
    options = {**meta, **({"params": params} if params else {})}
    if model in TITLES:
        options.setdefault("display", TITLES[model])
    record = ModelRecord(model, None, IMPORTED, 0, "", options=options)
    known = tasks_by_upstream_id()
    scores: dict[tuple[str, str], dict[str, Score]] = {}
    for each in numbers:
        if each.task not in ("macro", "micro"):
            own = scores.setdefault((each.task, each.regime), {})
            own[METRICS[each.metric]] = Score(each.value, each.sd, ())
    for (task, regime), found in scores.items():
        is_mean = task.startswith(CATEGORY)
        of_task = _category(task.removeprefix(CATEGORY)) if is_mean else _task(known[task])
        yield TaskResult(
            task=of_task,
            model=record,
            probe=ProbeRecord(Settings(protocol="geneb", split="published", shots=REGIMES[regime])),
            coverage=Coverage(n_task=of_task.n, n_scored=of_task.n, n_missing=0),
            scores={name: found[name] for name in METRICS.values() if name in found},
            imported=origin,
        )


def _task(config: SequenceConfig) -> TaskRecord:
    return _record(config.name, config.target, "sequence", config.family, config.sizes.get("test") or 0)


def _category(name: str) -> TaskRecord:
    tested = [config.sizes.get("test") or 0 for config in tasks_by_upstream_id().values() if config.category == name]
    return _record(f"geneb_category_{name}", "multiclass", "category", name, sum(tested))


def _record(name: str, target: str, entity: str, family: str, n: int) -> TaskRecord:
    """A task as far as a published score tells: without hashes, so that it stands beside what was scored here."""
    return TaskRecord(
        id=name,
        version="",
        target=target,
        entity=entity,
        family=family,
        source="geneb",
        n=n,
        data_sha256="",
        fold_scheme="published",
        folds_sha256="",
        ranked=False,
        figure2_family=family,
        default_split="published",
        default_protocol="geneb",
    )
