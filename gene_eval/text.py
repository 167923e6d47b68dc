"""Words for people: lists cut short, nearest names, text made safe for terminals and Markdown, lines on stderr."""

import difflib
import re
import sys
from collections.abc import Iterable, Sequence
from types import SimpleNamespace

__all__ = ["cell", "code", "count", "did_you_mean", "markdown", "nearest", "printable", "say", "set_quiet", "some"]

_SPECIAL = re.compile(r"[\\|<>\[\]`*]")


def some(names: Sequence[str], *, limit: int = 5) -> str:
    """The first names, and how many more there are.

    >>> some(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    return ", ".join(names[:limit]) + (f" and {len(names) - limit:,} more" if len(names) > limit else "")


def count(n: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "task"), count(2, "task")
    ('1 task', '2 tasks')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like the given one, None if none is."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known name, or the first few of them.

    >>> did_you_mean("bag-of-word", ["bag-of-words", "random"])
    "did you mean 'bag-of-words'? (there are: bag-of-words, random)"
    >>> did_you_mean("xyz", [])
    'there are none'
    """
    names = list(known)
    if not names:
        return "there are none"
    near = nearest(name, names)
    there = f"there are: {some(names, limit=10)}"
    return f"did you mean {near!r}? ({there})" if near else there


def printable(text: str) -> str:
    r"""The text on one line and without control characters, which could rewrite a terminal.

    >>> printable("a\x1b[2J\nb")
    'a [2J b'
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def markdown(text: str) -> str:
    r"""The text, escaped for Markdown: names come from other people's files, and a pipe would end a table cell.

    >>> print(markdown("a|b <script>"))
    a\|b \<script\>
    """
    return _SPECIAL.sub(r"\\\g<0>", printable(text))


def code(text: str) -> str:
    """The text as Markdown code, on one line.

    >>> code("a`b")
    "`a'b`"
    """
    return "`" + printable(text).replace("`", "'") + "`"


def cell(value: object) -> object:
    """A value for a CSV cell: text is printable, and no spreadsheet takes it for a formula.

    >>> cell("=HYPERLINK(1)"), cell(-0.5)
    ("'=HYPERLINK(1)", -0.5)
    """
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") and text.strip() else text


_voice = SimpleNamespace(is_quiet=False)
# Lines that are said even if quiet: something is missing or wrong.
_ALWAYS = ("warning:", "failed:", "to fix:")


def set_quiet(*, quiet: bool) -> None:
    """Let `say` print only warnings and failures, or everything."""
    _voice.is_quiet = quiet


def say(line: str) -> None:
    """Print a line on stderr: stdout is for data."""
    if _voice.is_quiet and not line.startswith(_ALWAYS):
        return
    # Late, because most users of this module print nothing; by tqdm, so that a line does not break a progress bar.
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)
    sys.stderr.flush()
