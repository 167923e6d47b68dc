"""The one boundary between a run and code or data of others: whatever is raised there costs one cell, in one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb

import gene_eval
from gene_eval.errors import GeneBenchError

__all__ = ["as_failure", "reason_of"]

_OWN = Path(gene_eval.__file__).resolve().parents[1]
_PACKAGES = tuple(str(_OWN / name) for name in ("builders", "gene_eval", "model_adapters", "push_scripts"))


@contextmanager
def as_failure(fail: Callable[[str], None]) -> Iterator[None]:
    """Hand the reason of any failure inside to `fail`, and go on; only an interrupt passes.

    Memory that runs out, an error of linear algebra or of a library, a user's `sys.exit()`: each is the failure of the
    cell in which it was raised.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        fail(reason_of(error))


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
