"""The one boundary between a run and other people's code or data: an error or warning from there becomes one line."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import Any

from gene_eval.errors import GeneBenchError

__all__ = ["one_line_errors", "reason_of", "warned"]

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = tuple(str(_ROOT / name) for name in ("builders", "gene_eval", "model_adapters", "push_scripts"))


@contextmanager
def one_line_errors(name: str = "") -> Iterator[None]:
    """Turn whatever is raised inside into a `GeneBenchError` of one line; only an interrupt passes unchanged.

    Lack of memory, an error in linear algebra or in a library, a user's `sys.exit()`, a panic of a library in Rust
    (which is no `Exception`): each costs only the cell in which it was raised; the traceback is kept in `__cause__`.

    Args:
        name: Whose code or data it is, for messages about errors that we did not foresee.
    """
    try:
        yield
    except GeneBenchError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        message = f"{name}: {reason_of(error)}" if name else reason_of(error)
        raise GeneBenchError(message) from error


def reason_of(error: BaseException) -> str:
    """Say in one line why something failed; for an error that we did not foresee, with its type, file and line.

    >>> reason_of(GeneBenchError("no vector"))
    'no vector'
    >>> reason_of(KeyError("layer"))
    "KeyError: 'layer'"
    """
    try:
        text = " ".join(str(error).split())
    # A method of the user's own.
    except Exception:  # noqa: BLE001
        text = ""
    if isinstance(error, GeneBenchError):
        return text
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror or text}"
    frames = extract_tb(error.__traceback__)
    # The last line that is the user's or ours: a line inside a library tells a reader nothing.
    known = [frame for frame in frames if "site-packages" not in frame.filename and "<" not in frame.filename]
    users = [frame for frame in known if not frame.filename.startswith(_PACKAGES)]
    place = (users or known)[-1:] if known else []
    where = f" ({Path(place[0].filename).name}, line {place[0].lineno})" if place and frames else ""
    return f"{type(error).__name__}: {text}{where}" if text else f"{type(error).__name__}{where}"


_lock = threading.Lock()
_open: dict[int, list[str]] = {}
_filters = warnings.catch_warnings()


@contextmanager
def warned() -> Iterator[list[str]]:
    """Give a list that fills with the texts of the warnings that the calling thread raises inside the block.

    `warnings.catch_warnings` is for one thread: two blocks that overlap would leave each other's filters behind. A
    warning from a thread that opened no block, such as one of a pool, goes to the block that was opened last.

    >>> with warned() as lines:
    ...     warnings.warn("few rows", stacklevel=1)
    >>> lines
    ['few rows']
    """
    global _filters
    lines: list[str] = []
    with _lock:
        if not _open:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
            warnings.simplefilter("always")
            warnings.showwarning = _take
        _open[threading.get_ident()] = lines
    try:
        yield lines
    finally:
        with _lock:
            del _open[threading.get_ident()]
            if not _open:
                _filters.__exit__(None, None, None)


def _take(message: Warning | str, *_: Any, **__: Any) -> None:
    with _lock:
        lines = _open.get(threading.get_ident())
        (list(_open.values())[-1] if lines is None else lines).append(str(message))
