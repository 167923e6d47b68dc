"""Where a result lies: `<root>/<model slug>/<task id>[@<axis>=<value>,...].json`, one file for each set of axes.

Axes that are at their default are not in the name. What a file system may not keep apart is written as `~` and two hex
digits for each byte of it, capitals included, since some file systems ignore case.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gene_eval.errors import ResultError
from gene_eval.results.records import TASK_ID, TaskResult
from gene_eval.results.settings import DEFAULTS, Settings

__all__ = ["axes_name", "ending", "path_for", "path_of", "predictions_path", "slug"]

LONGEST_SLUG = 80
LONGEST_VALUE = 40
PREDICTIONS = ".predictions.parquet"


def slug(name: str) -> str:
    """A file name for a model id; where the id cannot be read back from it, eight characters of its hash are added.

    >>> slug("sentence-transformers/all-MiniLM-L6-v2")
    'sentence-transformers__all-MiniLM-L6-v2'
    >>> slug("my vectors.csv")
    'my-vectors.csv-1132169a'
    """
    made = re.sub(r"[^A-Za-z0-9._-]+", "-", name.replace("/", "__")).lstrip(".")
    if made and made.replace("__", "/") == name and len(made) <= LONGEST_SLUG:
        return made
    return f"{made[:LONGEST_SLUG] or 'model'}-{_hash(name)}"


def path_for(
    root: str | os.PathLike[str],
    model_id: str,
    task_id: str,
    settings: Settings | None = None,
    *,
    defaults: Settings = DEFAULTS,
) -> Path:
    """Where the result of a model on a task belongs; a label's task (`task/label`) lies in a subfolder.

    Args:
        root: Results folder.
        model_id: Model id.
        task_id: Task id.
        settings: How it was scored; None means the defaults.
        defaults: Those of the task, see `TaskRecord.defaults`.

    Raises:
        ResultError: The task id is not a relative name of letters, digits, `_`, `.` and `-`.

    >>> path_for("results", "m", "hgnc_hla_class", Settings(split="family", head="my_heads:MLP", shots=5)).as_posix()
    'results/m/hgnc_hla_class@split=family,head=my_heads~3a~4d~4c~50,shots=5.json'
    """
    if not re.fullmatch(TASK_ID, task_id, re.ASCII):
        msg = f"task id {task_id!r} cannot be a file name: expected <source>_<task> or <source>_<task>/<label>"
        raise ResultError(msg)
    *folders, name = task_id.split("/")
    return Path(root, slug(model_id), *folders, name + ending(settings or defaults, defaults))


def ending(settings: Settings, defaults: Settings) -> str:
    """What follows the task in the name of a file.

    >>> ending(Settings(shots=5), DEFAULTS), ending(DEFAULTS, DEFAULTS)
    ('@shots=5.json', '.json')
    """
    axes = settings.differences(defaults)
    # An engine is no axis of a score: engines agree, so a newer result replaces the older one.
    suffix = axes_name({axis: value for axis, value in axes.items() if axis != "engine"})
    return f"@{suffix}.json" if suffix else ".json"


def path_of(result: TaskResult, root: str | os.PathLike[str]) -> Path:
    """Where this result belongs below `root`."""
    task = result.task
    return path_for(root, result.model.id, task.id, result.settings, defaults=task.defaults)


def predictions_path(path: Path) -> Path:
    """Where the predictions of the result at `path` lie.

    >>> predictions_path(Path("results/m/t@seed=1.json")).as_posix()
    'results/m/t@seed=1.predictions.parquet'
    """
    return path.with_name(path.name.removesuffix(".json") + PREDICTIONS)


def axes_name(axes: Mapping[str, Any]) -> str:
    """Axes and their values as part of a file name, different for different axes.

    >>> axes_name({"split": "family", "seed": 1})
    'split=family,seed=1'
    """
    return ",".join(f"{axis}={_value(value)}" for axis, value in axes.items())


def _value(value: Any) -> str:
    text = "all" if value is None else str(value)
    kept = "".join(
        character if re.fullmatch(r"[a-z0-9_.-]", character) else "".join(f"~{byte:02x}" for byte in character.encode())
        for character in text
    )
    return kept if len(kept) <= LONGEST_VALUE else f"{kept[: LONGEST_VALUE - 9]}~~{_hash(text)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
