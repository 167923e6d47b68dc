"""Result files on disk: written with their predictions, read back, and found in a folder of them."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gene_eval.errors import NewerSchemaError, ResultError
from gene_eval.files import atomic_write
from gene_eval.results import predictions as predicted
from gene_eval.results.checks import check_result
from gene_eval.results.paths import PREDICTIONS, path_for, path_of, predictions_path, slug
from gene_eval.results.records import PredictionsRecord, TaskResult
from gene_eval.results.settings import Settings
from gene_eval.text import did_you_mean

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = [
    "Folder",
    "load",
    "load_folder",
    "load_model",
    "load_predictions",
    "path_for",
    "path_of",
    "predictions_in",
    "save",
]


class Folder(NamedTuple):
    """What a results folder holds: results sorted by model and task, and a line for each file that is left out."""

    results: tuple[TaskResult, ...]
    problems: tuple[str, ...]
    root: Path | None = None

    def predictions(self, result: TaskResult) -> "pa.Table | None":
        """What was predicted for one of the results; see `predictions_in`."""
        return None if self.root is None else predictions_in(self.root, result)


def save(
    result: TaskResult, root: str | os.PathLike[str], *, predictions: "pd.DataFrame | pa.Table | None" = None
) -> Path:
    """Write a result below `root`, and its predictions beside it if there are any.

    Predictions are written first: after an interruption the old result refuses them, and no result lacks its own.

    Returns:
        Path of the result file.

    Raises:
        FileError: A file cannot be written; the result file that was there stays.
        ResultError: The predictions do not fit the result, or its task id is no file name.
    """
    path = path_of(result, root)
    beside = predictions_path(path)
    record = None
    if predictions is not None:
        content = predicted.to_parquet(predictions, result)
        record = PredictionsRecord(beside.name, hashlib.sha256(content).hexdigest())
        atomic_write(beside, content)
    atomic_write(path, replace(result, predictions=record).to_json())
    if record is None:
        beside.unlink(missing_ok=True)
    return path


def load(path: str | os.PathLike[str]) -> TaskResult:
    """Read one result file, and check that a run can have written it.

    Raises:
        ResultError: The file cannot be read or is no result; the message names it and says what to do.
    """
    path = Path(path)
    try:
        # Opening a pipe would wait for a writer.
        if path.exists() and not path.is_file():
            msg = "no regular file"
            raise ResultError(msg)
        result = TaskResult.from_json(path.read_text(encoding="utf-8"))
        check_result(result)
        return result
    except NewerSchemaError as error:
        msg = f"cannot read result {path}: {error}; update it: pip install --upgrade gene-bench"
        raise NewerSchemaError(msg) from error
    except (OSError, UnicodeDecodeError, ResultError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        msg = f"cannot read result {path}: {reason}; delete it, or run the task again with --overwrite"
        raise ResultError(msg) from error


def load_folder(root: str | os.PathLike[str]) -> Folder:
    """Read every `<model>/**/*.json` below `root`; what cannot be read or is there twice is reported, not raised.

    Files directly in `root` are not read: reports may lie there.

    Raises:
        ResultError: `root` is not a folder.
    """
    root = Path(root)
    if not root.is_dir():
        msg = f"no results folder {root}; make one with: gene-bench run MODEL -o {root}"
        raise ResultError(msg)
    found: dict[tuple[str, str, Settings], tuple[Path, TaskResult]] = {}
    problems = []
    for path in _result_files(root, "*/**/*.json"):
        try:
            result = load(path)
        except ResultError as error:
            problems.append(str(error))
            continue
        key = (result.model.id, result.task.id, result.settings)
        if key in found:
            problems.append(f"{path} is left out: {found[key][0]} holds the same model and task; delete one of them")
        else:
            found[key] = (path, result)
    return Folder(tuple(found[key][1] for key in sorted(found)), tuple(problems), root)


def load_model(root: str | os.PathLike[str], model: str) -> Iterator[TaskResult]:
    """Read the results of a model below `root`; what cannot be read is left out."""
    for path in _result_files(Path(root), f"{slug(model)}/**/*.json"):
        with suppress(ResultError):
            yield load(path)


def load_predictions(
    where: str | os.PathLike[str],
    model: str | None = None,
    task: str | None = None,
    *,
    settings: Settings | None = None,
) -> "pd.DataFrame":
    """Read what was predicted for each held-out entity; see `gene_eval.results.predictions` for the columns.

    Args:
        where: A result file, its file of predictions, or a results folder.
        model: Model id, for a folder.
        task: Task id, for a folder.
        settings: Which result, where the folder holds several of that model and task.

    Raises:
        ResultError: There are none, or the file does not fit its result.
    """
    path = Path(where)
    if path.is_dir():
        if model is None or task is None:
            msg = f"{path} is a folder of results; name the model and the task whose predictions are wanted"
            raise ResultError(msg)
        path = _find(path, model, task, settings)
    if path.name.endswith(PREDICTIONS):
        path = path.with_name(path.name.removesuffix(PREDICTIONS) + ".json")
    return predicted.read_predictions(predictions_path(path), load(path))


def predictions_in(root: str | os.PathLike[str], result: TaskResult) -> "pa.Table | None":
    """What was predicted for a result of a folder, None where that was not saved.

    Raises:
        ResultError: The file does not fit its result.
    """
    if result.predictions is None:
        return None
    return predicted.read_table(predictions_path(path_of(result, root)), result)


def _find(root: Path, model: str, task: str, settings: Settings | None) -> Path:
    folder = root / slug(model)
    if not folder.is_dir():
        known = sorted(each.name for each in root.iterdir() if each.is_dir() and not each.name.startswith("."))
        msg = f"no results of {model!r} in {root}; {did_you_mean(slug(model), known)}"
        raise ResultError(msg)
    paths = {}
    for path in _result_files(root, f"{folder.name}/**/*.json"):
        name = path.relative_to(folder).as_posix().removesuffix(".json")
        paths[path] = name.partition("@")[0]
    found = {path: load(path).settings for path, name in paths.items() if name == task}
    chosen = [path for path, each in found.items() if settings in (None, each)]
    if not found:
        msg = f"no result of {model} on {task!r}; {did_you_mean(task, sorted(set(paths.values())))}"
        raise ResultError(msg)
    if len(chosen) != 1:
        there = "; ".join(str(each) for each in sorted(found.values()))
        msg = f"{len(chosen)} results of {model} on {task} fit; say which with settings=, there are: {there}"
        raise ResultError(msg)
    return chosen[0]


def _result_files(root: Path, pattern: str) -> Iterator[Path]:
    """Result files below `root` in a stable order; what begins with a dot is half written, or none of ours."""
    for path in sorted(root.glob(pattern)):
        if not any(part.startswith(".") for part in path.relative_to(root).parts):
            yield path
