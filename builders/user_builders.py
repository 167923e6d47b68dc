"""A user's own builder, named as `file.py:Class`, and the boundary that keeps its failures to one line."""

from __future__ import annotations

import contextlib
import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from builders.base import GeneTaskBuilder
from builders.errors import BuilderError, MissingFileError, TaskCodeError, UnknownTaskError
from builders.text import did_you_mean, line_in, one_line

__all__ = ["import_builder", "is_builder_spec", "one_line_failures"]


def is_builder_spec(pattern: str) -> bool:
    """Whether a pattern is `file.py:Class`, not the name of a task.

    >>> [is_builder_spec(text) for text in ("my_task.py:EssentialBuilder", "reactome_*")]
    [True, False]
    """
    return pattern.partition(":")[0].endswith(".py")


def import_builder(spec: str) -> type[GeneTaskBuilder]:
    """Run a user's file and return its builder class; an edited file is another class.

    Args:
        spec: `file.py:Class`.

    Raises:
        MissingFileError: There is no such file.
        UnknownTaskError: The file has no such class, or the class is no `GeneTaskBuilder`.
        TaskCodeError: The file cannot be run.
        TaskDataError: A config in it has an invalid value.
    """
    file, _, name = spec.partition(":")
    path = Path(file).expanduser()
    if not path.is_file():
        message = f"no file {path}; expected file.py:Class with a GeneTaskBuilder in it"
        raise MissingFileError(message)
    module = _run_file(path)
    classes = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, GeneTaskBuilder) and value.__module__ == module.__name__
    }
    if name not in classes:
        hint = did_you_mean(name, classes)
        message = f"{path} has no GeneTaskBuilder '{name}' (it has {', '.join(classes) or 'none'}){hint}"
        raise UnknownTaskError(message)
    return classes[name]


def _run_file(path: Path) -> ModuleType:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    # The hash keeps two files of one name apart, and an edited file from its older self.
    name = f"gene_bench_task_{re.sub(r'[^0-9A-Za-z]', '_', path.stem)}_{digest[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(path)
    # For the dataset's hash: what ran, whatever the file holds by then.
    vars(module)["__source_sha256__"] = digest
    # Dataclasses and pickle find their module by name.
    sys.modules[name] = module
    try:
        # Not importlib's loader: its cached bytecode misses an edit within the same second.
        exec(compile(content, str(path), "exec"), vars(module))
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        reason = str(error) if isinstance(error, BuilderError) else one_line(error)
        message = f"{path} cannot be run: {reason}{line_in(str(path), error)}"
        raise TaskCodeError(message) from error
    return module


@contextlib.contextmanager
def one_line_failures(task: str, builder: type[GeneTaskBuilder]) -> Iterator[None]:
    """Turn whatever a builder's code raises into one line with file and line; our own errors pass as they are.

    Raises:
        TaskCodeError: Something else was raised, `SystemExit` and the like included; it stays in `__cause__`.
    """
    try:
        yield
    except BuilderError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        file = getattr(sys.modules.get(builder.__module__), "__file__", None) or ""
        last = extract_tb(error.__traceback__)[-1]
        where = line_in(file, error) or f" ({Path(last.filename).name}, line {last.lineno})"
        message = f"{task}: {one_line(error)}{where}"
        raise TaskCodeError(message) from error
