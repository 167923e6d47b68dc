"""A user's own builder, named as `file.py:Class`."""

import difflib
import hashlib
import importlib.util
import sys
from pathlib import Path

from builders.base import GeneTaskBuilder
from builders.errors import BuilderError, MissingFileError, UnknownTaskError

__all__ = ["import_builder", "names_builder"]


def names_builder(pattern: str) -> bool:
    """Whether a pattern is `file.py:Class`, not the name of a task.

    >>> [names_builder(text) for text in ("my_task.py:EssentialBuilder", "reactome_*")]
    [True, False]
    """
    return pattern.partition(":")[0].endswith(".py")


def import_builder(spec: str) -> type[GeneTaskBuilder]:
    """Run a user's file and return its builder class.

    Args:
        spec: `file.py:Class`.

    Raises:
        MissingFileError: There is no such file.
        UnknownTaskError: The file has no such class, or the class is no `GeneTaskBuilder`.
        BuilderError: The file cannot be run.
    """
    file, _, name = spec.partition(":")
    path = Path(file).expanduser()
    if not path.is_file():
        message = f"no file {path}; expected file.py:Class with a GeneTaskBuilder in it"
        raise MissingFileError(message)
    # The hash keeps two files of one name apart.
    module_name = f"gene_bench_task_{path.stem}_{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
    if module_name not in sys.modules:
        described = importlib.util.spec_from_file_location(module_name, path)
        assert described is not None
        assert described.loader is not None
        module = importlib.util.module_from_spec(described)
        sys.modules[module_name] = module
        try:
            described.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            reason = (str(error).splitlines() or [""])[0]
            message = f"{path} cannot be run: {type(error).__name__}: {reason}"
            raise BuilderError(message) from error
    classes = {
        key: value
        for key, value in vars(sys.modules[module_name]).items()
        if isinstance(value, type) and issubclass(value, GeneTaskBuilder) and value.__module__ == module_name
    }
    if name not in classes:
        near = difflib.get_close_matches(name, classes, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        message = f"{path} has no GeneTaskBuilder '{name}' (it has {', '.join(classes) or 'none'}){hint}"
        raise UnknownTaskError(message)
    return classes[name]
