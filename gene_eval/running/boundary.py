"""The one boundary between a run and code or data of others: whatever is raised there becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb

from gene_eval.errors import GeneBenchError

__all__ = ["one_line_errors", "reason_of"]

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = tuple(str(_ROOT / name) for name in ("builders", "gene_eval", "model_adapters", "push_scripts"))


@contextmanager
def one_line_errors(name: str = "") -> Iterator[None]:
    """Turn whatever is raised inside into a `GeneBenchError` of one line; only an interrupt passes as it is.

    Memory that runs out, an error of linear algebra or of a library, a user's `sys.exit()`: each costs the cell in
    which it was raised, and the traceback stays in `__cause__`.

    Args:
        name: Whose code or data it is, for messages about what was not foreseen.
    """
    try:
        yield
    except GeneBenchError:
        raise
    except (Exception, SystemExit) as error:
        message = f"{name}: {reason_of(error)}" if name else reason_of(error)
        raise GeneBenchError(message) from error


def reason_of(error: BaseException) -> str:
    """Say in one line why something failed; what we did not foresee is said with its type, file and line.

    >>> reason_of(GeneBenchError("no vector"))
    'no vector'
    >>> reason_of(KeyError("layer"))
    "KeyError: 'layer'"
    """
    text = " ".join(str(error).split())
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
