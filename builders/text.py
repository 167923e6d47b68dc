"""Text helpers for messages: nearest names, short lists, where an exception was raised."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from traceback import extract_tb

__all__ = ["did_you_mean", "line_in", "one_line", "some"]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` for the nearest known name, an empty string if none is near.

    >>> did_you_mean("reactome_pathway", ["reactome_pathways", "humantfs_is_tf"])
    "; did you mean 'reactome_pathways'?"
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f"; did you mean {near[0]!r}?" if near else ""


def some(names: Iterable[str], *, limit: int = 12) -> str:
    """The first names, and how many more there are.

    >>> some(["A", "B", "C", "D", "E"], limit=3)
    'A, B, C and 2 more'
    """
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more


def one_line(error: BaseException) -> str:
    """Type and first non-empty line of an exception's message.

    >>> one_line(KeyError("label"))
    "KeyError: 'label'"
    """
    try:
        text = str(error)
    # A method of the user's own.
    except Exception:  # noqa: BLE001
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def line_in(file: str, error: BaseException) -> str:
    """` (my_task.py, line 12)`: the last line of a file that an exception passed through; empty if there is none."""
    passed = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        passed.append(error.lineno)
    return f" ({file.rpartition('/')[2]}, line {passed[-1]})" if passed else ""
