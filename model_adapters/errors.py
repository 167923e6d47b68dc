"""What can go wrong between a MODEL string and an embedding table. Each message is one line, fit for the user.

AdapterError (ValueError)
├── UnknownModelError   the MODEL string names no adapter, file, folder, class or Hub model
├── ModelLoadError      the model was found, but its code or weights do not load
├── VectorsError        this is not a table of vectors: columns, duplicates, lengths, NaN
├── CacheError          vectors cannot be written where they are kept or made: no room, no permission
└── EncodingError       the genes do not fit the model, or `encode` did not return vectors
    └── RefusedInput    `encode` cannot read one of the values it was given; `embed` adds the gene's name
"""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from traceback import extract_tb


class AdapterError(ValueError):
    """Base of every error that this package raises for a user's mistake."""


class UnknownModelError(AdapterError):
    """A MODEL string names nothing that exists."""


class ModelLoadError(AdapterError):
    """A model exists, but could not be loaded."""


class VectorsError(AdapterError):
    """A table of vectors breaks the contract of DESIGN: one finite vector of one length for each symbol."""


class CacheError(AdapterError):
    """Vectors cannot be written; the message says where, why and what to do."""


class EncodingError(AdapterError):
    """Genes and model do not fit together, or the model returned something other than vectors."""


class RefusedInput(EncodingError):
    """One value of a batch cannot be encoded; raised by `encode`, which does not know the genes.

    Args:
        position: Number of the value in the batch.
        reason: What it is and what was expected, without the gene: `embed` puts model and gene before it.
    """

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the nearest known name, an empty string if none is near.

    >>> did_you_mean("bag-of-word", ["bag-of-words", "random"])
    "; did you mean 'bag-of-words'?"
    """
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def one_line(error: BaseException) -> str:
    """Return type and first non-empty line of an exception's message.

    >>> one_line(KeyError("layer"))
    "KeyError: 'layer'"
    """
    try:
        text = str(error)
    # A method of the user's own.
    except Exception:  # noqa: BLE001
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def line_in(path: Path | None, error: BaseException) -> str:
    """Return ` (my_model.py, line 12)`: the last line of a user's file that an exception passed; empty without one."""
    passed = [frame.lineno for frame in extract_tb(error.__traceback__) if path and frame.filename == str(path)]
    return f" ({path.name}, line {passed[-1]})" if path and passed else ""


def some(names: Iterable[str], *, limit: int = 3) -> str:
    """Return the first names, and how many more there are.

    >>> some(["A", "B", "C", "D", "E"])
    'A, B, C and 2 more'
    """
    every = list(names)
    rest = f" and {len(every) - limit:,} more" if len(every) > limit else ""
    return ", ".join(every[:limit]) + rest
