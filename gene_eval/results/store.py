"""One model on one task: `TaskResult`, its JSON file, and folders of such files.

Layout: `<root>/<model slug>/<task id>.json`. The same result always gives the same bytes, apart from `timing` and
`created_at`. A number that is undefined is `None` here and `null` in the file; NaN and infinity are never written.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from gene_eval.errors import ResultError

__all__ = [
    "SCHEMA_VERSION",
    "Coverage",
    "Folder",
    "ModelRecord",
    "ProbeRecord",
    "ScoreRecord",
    "TaskRecord",
    "TaskResult",
    "load",
    "load_folder",
    "path_for",
    "save",
    "slug",
]

SCHEMA_VERSION = 1
LONGEST_SLUG = 80
TARGETS = ("binary", "multiclass", "multilabel", "regression")

_JSON_NAMES: dict[type, str] = {
    NoneType: "null",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """The task as it was scored.

    `data_sha256` is of the entities and labels, `folds_sha256` of the entities and folds; `inputs` maps each raw file
    to its sha256, `audit` counts what became of the source's rows. A task that is not `ranked` counts in no mean.
    `figure2_family` is the family in the paper's Figure 2, empty where a file does not say.
    """

    id: str
    version: str
    target: str
    entity: str
    family: str
    source: str
    n: int
    data_sha256: str
    fold_scheme: str
    folds_sha256: str
    ranked: bool = True
    figure2_family: str = ""
    label_names: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    audit: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """The model and the vectors it gave; `embedding_sha256` is of all of them, not only of those the task used.

    `health` describes all of them too: see `model_adapters.health`; for vectors of a file also what became of its rows.
    """

    id: str
    revision: str | None
    adapter: str
    dim: int
    embedding_sha256: str
    options: Mapping[str, object] = field(default_factory=dict)
    health: Mapping[str, object] = field(default_factory=dict)

    @property
    def options_text(self) -> str:
        """The options as a file has them, so that those of a run and of its file are equal.

        >>> ModelRecord("m", None, "a", 4, "", {"b": ({"d": 1, "c": 2},)}).options_text
        '{"b": [{"c": 2, "d": 1}]}'
        """
        return json.dumps(dict(self.options), sort_keys=True, default=str)


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """How the vectors were scored; `params` (C, ...) stands beside the other fields in the file."""

    protocol: str
    engine: str
    seed: int
    params: Mapping[str, object] = field(default_factory=dict)
    convergence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the task's entities have a vector; `missing_sample` names a few that have none.

    `n_scored` can be less than `n_task - n_missing`: with `--common-genes` what other models lack is left out too.
    `scored_sha256` is of the entities that were scored.
    """

    n_task: int
    n_scored: int
    n_missing: int
    missing_sample: tuple[str, ...] = ()
    scored_sha256: str = ""


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """Mean and population standard deviation over the folds in which the metric is defined (`None` where it is not)."""

    mean: float | None
    std: float | None
    folds: tuple[float | None, ...]

    @classmethod
    def of(cls, mean: float, std: float, folds: Iterable[float]) -> "ScoreRecord":
        """Take numbers in which NaN means undefined.

        >>> ScoreRecord.of(0.5, 0.0, [0.5, float("nan")])
        ScoreRecord(mean=0.5, std=0.0, folds=(0.5, None))
        """
        return cls(_defined(mean), _defined(std), tuple(_defined(fold) for fold in folds))


@dataclass(frozen=True, slots=True)
class TaskResult:
    """Everything a report, card or page may say about one model on one task."""

    task: TaskRecord
    model: ModelRecord
    probe: ProbeRecord
    coverage: Coverage
    scores: Mapping[str, ScoreRecord]
    labels: Mapping[str, Mapping[str, ScoreRecord]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)
    created_at: str = ""

    def to_json(self) -> str:
        """The file's text: sorted keys, two spaces, a newline at the end.

        Raises:
            TypeError: a value in `options`, `params` or `convergence` is not JSON.
            ValueError: a probe param has the name of a field of `ProbeRecord`.
        """
        content = asdict(self)
        probe = content["probe"]
        params = probe.pop("params")
        if clash := sorted(probe.keys() & params.keys()):
            msg = f"probe params may not be named {', '.join(clash)}"
            raise ValueError(msg)
        probe.update(params)
        content["schema_version"] = SCHEMA_VERSION
        return json.dumps(_plain(content), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "TaskResult":
        """Read what `to_json` wrote; fields it does not know are ignored.

        Raises:
            ResultError: not JSON, another schema version, or a field that is missing or of the wrong type.
        """
        try:
            content = json.loads(text, parse_constant=_refuse_constant)
        except (json.JSONDecodeError, RecursionError) as error:
            msg = f"not valid JSON ({error})"
            raise ResultError(msg) from error
        if not isinstance(content, dict):
            msg = f"holds a JSON {type(content).__name__}, expected an object"
            raise ResultError(msg)
        version = content.get("schema_version")
        if version != SCHEMA_VERSION:
            msg = f"schema_version is {version!r}, this gene-bench reads {SCHEMA_VERSION}"
            raise ResultError(msg)
        probe = content.get("probe")
        if isinstance(probe, dict):
            known = {each.name for each in fields(ProbeRecord)}
            params = {key: value for key, value in probe.items() if key not in known}
            content["probe"] = {**probe, "params": params}
        result: TaskResult = _read(cls, content, "")
        if result.task.target not in TARGETS:
            msg = f"field task.target is {result.task.target!r}, expected one of {', '.join(TARGETS)}"
            raise ResultError(msg)
        return result


class Folder(NamedTuple):
    """What a results folder holds: results sorted by model and task, and a line for each file that is left out."""

    results: tuple[TaskResult, ...]
    problems: tuple[str, ...]


def slug(model_id: str) -> str:
    """A folder name for a model id; where the id cannot be read back from it, eight characters of its hash are added.

    >>> slug("sentence-transformers/all-MiniLM-L6-v2")
    'sentence-transformers__all-MiniLM-L6-v2'
    >>> slug("my vectors.csv")
    'my-vectors.csv-1132169a'
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", model_id.replace("/", "__")).lstrip(".")
    if name and name.replace("__", "/") == model_id and len(name) <= LONGEST_SLUG:
        return name
    return f"{name[:LONGEST_SLUG] or 'model'}-{hashlib.sha256(model_id.encode()).hexdigest()[:8]}"


def path_for(root: str | os.PathLike[str], model_id: str, task_id: str) -> Path:
    """Where the result of a model on a task belongs; a label's task (`task/label`) lies in a subfolder.

    Raises:
        ResultError: the task id is not a relative name of letters, digits, `_`, `.` and `-`.
    """
    if not re.fullmatch(r"(?!\.)[\w.-]+(/(?!\.)[\w.-]+)*", task_id, re.ASCII):
        msg = f"task id {task_id!r} cannot be a file name: expected <source>_<task> or <source>_<task>/<label>"
        raise ResultError(msg)
    return Path(root, slug(model_id), *task_id.split("/")[:-1], task_id.split("/")[-1] + ".json")


def save(result: TaskResult, root: str | os.PathLike[str]) -> Path:
    """Write a result below `root` and return its path; a reader sees the old file or the new one, never half of it.

    Raises:
        ResultError: the file cannot be written.
    """
    path = path_for(root, result.model.id, result.task.id)
    text = result.to_json()
    # In the same folder, since a rename is atomic only within a file system; the process id keeps two runs apart.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text, encoding="utf-8", newline="\n")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror or error}"
        raise ResultError(msg) from error
    return path


def load(path: str | os.PathLike[str]) -> TaskResult:
    """Read one result file.

    Raises:
        ResultError: the file cannot be read or is no result; the message names it and says what to do.
    """
    path = Path(path)
    try:
        return TaskResult.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ResultError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        msg = f"cannot read result {path}: {reason}; delete it, or run the task again with --overwrite"
        raise ResultError(msg) from error


def load_folder(root: str | os.PathLike[str]) -> Folder:
    """Read every `<model>/**/*.json` below `root`; what cannot be read or is there twice is reported, not raised.

    Files directly in `root` are not looked at: reports may lie there.

    Raises:
        ResultError: `root` is not a folder.
    """
    root = Path(root)
    if not root.is_dir():
        msg = f"no results folder {root}; make one with: gene-bench run MODEL -o {root}"
        raise ResultError(msg)
    found: dict[tuple[str, str, str, str, int], tuple[Path, TaskResult]] = {}
    problems = []
    for path in sorted(root.glob("*/**/*.json")):
        if any(part.startswith(".") for part in path.relative_to(root).parts):
            continue
        try:
            result = load(path)
        except ResultError as error:
            problems.append(str(error))
            continue
        probe = result.probe
        key = (result.model.id, result.task.id, probe.protocol, probe.engine, probe.seed)
        if key in found:
            problems.append(f"{path} is left out: {found[key][0]} holds the same model and task; delete one of them")
        else:
            found[key] = (path, result)
    return Folder(tuple(result for _, (_, result) in sorted(found.items())), tuple(problems))


def _defined(value: float) -> float | None:
    value = float(value)
    return value if math.isfinite(value) else None


def _plain(value: object) -> object:
    """Mappings, sequences and numbers (NumPy's too) as the types the json module writes."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return _defined(float(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    msg = f"a {type(value).__name__} cannot be written to a result file: {value!r}"
    raise TypeError(msg)


def _refuse_constant(name: str) -> float:
    msg = f"not valid JSON ({name}); undefined numbers are null"
    raise ResultError(msg)


def _read(kind: Any, value: object, where: str) -> Any:
    """Check a JSON value against the annotation of a field above; `where` is its path in the file."""
    if kind is object:
        return value
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else _read(arguments[0], value, where)
    if origin is tuple:
        items = _expect(list, value, where)
        return tuple(_read(arguments[0], item, f"{where}[{number}]") for number, item in enumerate(items))
    if origin is Mapping:
        return {key: _read(arguments[1], item, f"{where}.{key}") for key, item in _expect(dict, value, where).items()}
    if is_dataclass(kind):
        return _read_record(kind, _expect(dict, value, where), where)
    if kind is float and type(value) is int:
        return float(value)
    return _expect(kind, value, where)


def _read_record(kind: Any, value: Mapping[str, object], where: str) -> Any:
    taken = {}
    for each in fields(kind):
        name = f"{where}.{each.name}".lstrip(".")
        if each.name in value:
            taken[each.name] = _read(each.type, value[each.name], name)
        elif each.default is MISSING and each.default_factory is MISSING:
            msg = f"field {name} is missing"
            raise ResultError(msg)
    return kind(**taken)


def _expect(kind: type[T], value: object, where: str) -> T:
    # Not isinstance: true and false would pass for integers.
    if type(value) is not kind:
        msg = f"field {where} is {_JSON_NAMES[type(value)]}, expected {_JSON_NAMES[kind]}"
        raise ResultError(msg)
    return value
