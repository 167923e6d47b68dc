"""File helpers: what is written is complete, or not there at all."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

__all__ = ["write_atomically"]


def write_atomically(path: Path, text: str) -> None:
    """Write text (UTF-8) to a file beside it and rename: a reader sees the old file or the new one, never a part.

    Raises:
        OSError: The folder cannot be written; the file is as it was.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
