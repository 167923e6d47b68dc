"""Result files as they are found: the files below a folder, and what one of them says."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gene_eval.errors import NewerSchemaError, ResultError
from gene_eval.results.checks import check_result
from gene_eval.results.records import TaskResult

__all__ = ["ResultFile", "load", "read", "result_files"]


class ResultFile(NamedTuple):
    """A file of a results folder: its name below it, in parts, and its status, None where the system has none."""

    path: Path
    name: tuple[str, ...]
    status: os.stat_result | None


def load(path: str | os.PathLike[str]) -> TaskResult:
    """Read one result file, and check that a run can have written it.

    Raises:
        ResultError: The file cannot be read or is no result; the message names it and says what to do.
    """
    return read(path)[0]


def read(path: str | os.PathLike[str]) -> tuple[TaskResult, bytes]:
    """`load`, and the bytes that the file holds."""
    path = Path(path)
    try:
        # Opening a pipe would wait for a writer.
        if path.exists() and not path.is_file():
            msg = "not a regular file"
            raise ResultError(msg)
        content = path.read_bytes()
        result = TaskResult.from_json(content.decode("utf-8"))
        check_result(result)
        return result, content
    except NewerSchemaError as error:
        msg = f"cannot read result {path}: {error}; update it: pip install --upgrade gene-bench"
        raise NewerSchemaError(msg) from error
    except (OSError, UnicodeDecodeError, ResultError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        msg = f"cannot read result {path}: {reason}; delete it, or run the task again with --overwrite"
        raise ResultError(msg) from error


def result_files(root: Path, model: str | None = None) -> list[ResultFile]:
    """Every `<model>/**/*.json` below `root` in a stable order; what begins with a dot is half written or none of ours.

    Args:
        root: Results folder.
        model: Folder of one model; None takes all.
    """
    names = [model] if model else [entry.name for entry in _entries(root) if entry.is_dir()]
    found = (file for name in names for file in _below(root / name, (name,)))
    return sorted(found, key=lambda file: file.name)


def _below(folder: Path, above: tuple[str, ...]) -> Iterator[ResultFile]:
    for entry in _entries(folder):
        name = (*above, entry.name)
        if entry.name.endswith(".json"):
            status = None
            with suppress(OSError):
                status = entry.stat()
            yield ResultFile(folder / entry.name, name, status)
        if entry.is_dir(follow_symlinks=False):
            yield from _below(folder / entry.name, name)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(PermissionError, FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        yield from (entry for entry in entries if not entry.name.startswith("."))
