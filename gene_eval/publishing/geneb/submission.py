"""GENEB's submission file (schema 1.0): made from results, and checked.

The form is `{schema_version, model_id, harness_version, meta, results: {regime: {task: {MCC, Acc, F1}}}}`; its scores
have four decimals, and are means over the seeds. GENEB takes a file with all of its 100 tasks in all three regimes.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from builders import configs
from builders.sequences.config import SequenceConfig
from gene_eval import __version__
from gene_eval.errors import ResultError
from gene_eval.publishing.geneb.published_models import TITLES, parameters_of
from gene_eval.results.records import TaskResult
from gene_eval.results.settings import Settings
from gene_eval.text import did_you_mean

__all__ = [
    "METRICS",
    "REGIMES",
    "Submission",
    "check_submission",
    "file_name",
    "make_submission",
    "tasks_by_upstream_id",
]

SCHEMA_VERSION: Final = "1.0"
REGIMES: Final[Mapping[str, int | None]] = {"full": None, "10shot": 10, "1shot": 1}
METRICS: Final[Mapping[str, str]] = {"MCC": "mcc", "Acc": "accuracy", "F1": "f1_macro"}
LOWEST: Final = {"MCC": -1.0, "Acc": 0.0, "F1": 0.0}
PROVENANCE: Final = ("official", "verified", "reproduced", "self-reported")
DECIMALS: Final = 4
META: Final[Mapping[str, type]] = {
    "display": str,
    "params": int,
    "url": str,
    "zero_shot": bool,
    "training_data": str,
    "provenance": str,
    "submitted_by": str,
}


@dataclass(frozen=True)
class Submission:
    """A submission, and what it lacks.

    Attributes:
        content: Content of the file.
        n_scores: Pairs of task and regime that it has.
        missing: Those that GENEB also wants, as "regime: task".
    """

    content: Mapping[str, Any]
    n_scores: int
    missing: tuple[str, ...]

    def to_json(self) -> str:
        """The file's text."""
        return json.dumps(self.content, indent=2, ensure_ascii=False) + "\n"


def tasks_by_upstream_id() -> dict[str, SequenceConfig]:
    """GENEB's name of a task -> its config here."""
    return {
        each.upstream_id: each for each in configs().values() if isinstance(each, SequenceConfig) and each.upstream_id
    }


def file_name(model_id: str) -> str:
    """What GENEB calls the file of a model.

    >>> file_name("org/model:k=4")
    'org_model_k_4.json'
    """
    return re.sub(r"[^A-Za-z0-9._-]", "_", model_id) + ".json"


def make_submission(results: Iterable[TaskResult], model: str, **meta: Any) -> Submission:
    """Put the results of a model under GENEB's protocol into its form.

    Args:
        results: Of a folder; those of other models, protocols or heads are left out.
        model: Model id.
        **meta: `display`, `params`, `url`, `zero_shot`, `training_data`, `provenance`, `submitted_by`.

    Raises:
        ResultError: The model has no result under that protocol, or a value of the metadata is of another type.
    """
    found = list(results)
    of_tasks = [r for r in found if r.task.entity == "sequence" and _is_geneb(r.settings)]
    own = {(r.task.id, r.settings.shots): r for r in of_tasks if r.model.id == model}
    if not own:
        known = sorted({result.model.id for result in found})
        msg = (
            f"no result of {model} on a task under protocol geneb; {did_you_mean(model, known)}"
            f" run it first: gene-bench run {model} -t @geneb --shots all 10 1"
        )
        raise ResultError(msg)
    tables: dict[str, dict[str, dict[str, float]]] = {regime: {} for regime in REGIMES}
    missing = []
    for regime, shots in REGIMES.items():
        for upstream, config in tasks_by_upstream_id().items():
            result = own.get((config.name, shots))
            if result is None or not set(METRICS.values()) <= result.scores.keys():
                missing.append(f"{regime}: {upstream}")
            else:
                tables[regime][upstream] = {
                    name: round(result.scores[metric].mean, DECIMALS) for name, metric in METRICS.items()
                }
    content = {
        "schema_version": SCHEMA_VERSION,
        "model_id": model,
        "harness_version": f"gene-bench {__version__}",
        "meta": _meta(model, meta),
        "results": {regime: rows for regime, rows in tables.items() if rows},
    }
    check_submission(content)
    return Submission(content, sum(map(len, tables.values())), tuple(missing))


def _is_geneb(settings: Settings) -> bool:
    return settings == Settings(
        protocol="geneb", split="published", engine=settings.engine, shots=settings.shots, seed=settings.seed
    )


def _meta(model: str, given: Mapping[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "display": TITLES.get(model, model),
        "params": parameters_of(model) or 0,
        "url": "",
        "zero_shot": False,
        "training_data": "",
        "provenance": "self-reported",
        "submitted_by": "",
    }
    return meta | {name: value for name, value in given.items() if value is not None}


def check_submission(content: Any, *, where: str = "submission") -> None:
    """Refuse what is not a submission of this schema.

    Raises:
        ResultError: A part is missing or of another type, a task or regime is unknown, or a score is out of range. The
            message says which.
    """
    if not isinstance(content, dict) or "schema_version" not in content:
        msg = f"{where} is not a GENEB submission; expected an object with schema_version, model_id, meta and results"
        raise ResultError(msg)
    if content["schema_version"] != SCHEMA_VERSION:
        msg = f"{where} has schema_version {content['schema_version']!r}, expected {SCHEMA_VERSION!r}"
        raise ResultError(msg)
    if not isinstance(content.get("model_id"), str) or not content["model_id"].strip():
        msg = f"{where}: model_id is {content.get('model_id')!r}, expected a name"
        raise ResultError(msg)
    meta = content.get("meta", {})
    if not isinstance(meta, dict) or not isinstance(content.get("results"), dict) or not content["results"]:
        msg = f"{where}: expected meta and results as objects, and results with one regime or more"
        raise ResultError(msg)
    for reason in _faults(meta, content["results"]):
        msg = f"{where}: {reason}"
        raise ResultError(msg)


def _faults(meta: Mapping[str, Any], results: Mapping[str, Any]) -> Iterator[str]:
    for name, kind in META.items():
        if name in meta and (type(meta[name]) is not kind or (name == "params" and meta[name] < 0)):
            expected = "a whole number, 0 or above" if kind is int else kind.__name__
            yield f"meta.{name} is {meta[name]!r}, expected {expected}"
    if meta.get("provenance", PROVENANCE[0]) not in PROVENANCE:
        yield f"meta.provenance is {meta['provenance']!r}, expected one of {', '.join(PROVENANCE)}"
    known = tasks_by_upstream_id()
    for regime, rows in results.items():
        if regime not in REGIMES or not isinstance(rows, dict):
            yield f"regime {regime!r}; expected {', '.join(REGIMES)}"
            continue
        for task, scores in rows.items():
            if task not in known:
                yield f"{regime}: unknown task {task!r}; {did_you_mean(task, known)}".rstrip("; ")
            elif not isinstance(scores, dict) or "MCC" not in scores:
                yield f"{regime}, {task}: expected an object with {', '.join(METRICS)}"
            else:
                yield from (f"{regime}, {task}: {fault}" for fault in _out_of_range(scores))


def _out_of_range(scores: Mapping[str, Any]) -> Iterator[str]:
    for name, low in LOWEST.items():
        value = scores.get(name)
        if value is not None and (type(value) not in (int, float) or not low <= value <= 1):
            yield f"{name} is {value!r}, expected {low:g} to 1"


def read_json(path: Path) -> Any:
    """The content of a submission file, checked.

    Raises:
        ResultError: It cannot be read, or is not a submission.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        msg = f"cannot read {path}: {getattr(error, 'strerror', None) or error}"
        raise ResultError(msg) from error
    check_submission(content, where=str(path))
    return content
