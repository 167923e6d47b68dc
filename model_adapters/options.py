"""Options in a MODEL string: `NAME:ARGUMENT,key=value,key=value`, the same for every adapter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_adapters.errors import UnknownModelError, did_you_mean

DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Option:
    """How the value of an option is written and read; `read` raises a ValueError that says what is expected."""

    form: str
    read: Callable[[str], Any]


def whole_number(*, minimum: int | None = None) -> Option:
    """Make an option that takes a whole number."""

    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            message = "a whole number"
            raise ValueError(message) from None
        if minimum is not None and number < minimum:
            message = f"{minimum} or more"
            raise ValueError(message)
        return number

    return Option("N", read)


def choice(*names: str) -> Option:
    """Make an option that takes one of a few words."""

    def read(value: str) -> str:
        if value not in names:
            message = f"{' or '.join(names)}{did_you_mean(value, names)}"
            raise ValueError(message)
        return value

    return Option("|".join(names), read)


def one_of(argument: str, names: Sequence[str], *, adapter: str) -> str:
    """Return the argument of `ADAPTER:NAME`, which must be one of the names.

    Raises:
        UnknownModelError: It is another, or there is none.
    """
    if argument not in names:
        given = f"{adapter} has no {argument!r}{did_you_mean(argument, names)}" if argument else f"{adapter}: no name"
        message = f"{given}; expected {adapter}:NAME with one of {', '.join(names)}"
        raise UnknownModelError(message)
    return argument


def yes_or_no() -> Option:
    """Make an option that takes yes or no, read as True or False."""
    word = choice("yes", "no")
    return Option(word.form, lambda value: word.read(value) == "yes")


def word(form: str) -> Option:
    """Make an option that takes any text that is not empty; `form` says what it stands for, in capitals."""

    def read(value: str) -> str:
        if not value:
            message = form
            raise ValueError(message)
        return value

    return Option(form, read)


MASK = choice("none", "labels")
"""What is taken out of a text before it is read: nothing, or the words of the labels of the run's tasks."""
MASKED = "{}_without_labels"
"""Column of the gene table with such texts, which the caller adds."""
INPUT = word("COLUMN")
"""`input=`: the column of the gene table that a model reads, such as description, symbol or summary."""
DTYPE = choice(*DTYPES)
"""`dtype=`: what a model computes in; the vectors are float32 in any case."""


def split_options(argument: str, known: Mapping[str, Option], *, adapter: str) -> tuple[str, dict[str, Any]]:
    """Split what follows `ADAPTER:` into the argument proper and its options, read.

    Options come last. If the whole string is a file or folder that exists, it has no options, whatever its name is.

    Raises:
        UnknownModelError: there is no such option, it is given twice, or it cannot have this value.

    >>> split_options("org/name,seed=3", {"seed": whole_number()}, adapter="random")
    ('org/name', {'seed': 3})
    """
    if argument and Path(argument).expanduser().exists():
        return argument, {}
    parts = argument.split(",") if argument else []
    first = len(parts)
    while first and re.match(r"[a-z_]+=", parts[first - 1]):
        first -= 1
    return ",".join(parts[:first]), read_options(parts[first:], known, adapter=adapter)


def read_options(parts: list[str], known: Mapping[str, Option], *, adapter: str) -> dict[str, Any]:
    """Read `key=value` parts.

    Raises:
        UnknownModelError: see `split_options`.
    """
    options: dict[str, Any] = {}
    for part in parts:
        name, _, value = part.partition("=")
        if name not in known:
            forms = " or ".join(f"{key}={option.form}" for key, option in known.items())
            expected = f"expected {forms}" if forms else "it has none"
            message = f"{adapter} has no option {name!r}, {expected}{did_you_mean(name, known)}"
            raise UnknownModelError(message)
        if name in options:
            message = f"{adapter}: {name} is given twice; give it once"
            raise UnknownModelError(message)
        try:
            options[name] = known[name].read(value)
        except ValueError as error:
            shown = value if re.fullmatch(r"-?\d+", value) else repr(value)
            message = f"{adapter}: {name} is {shown}, expected {error}"
            raise UnknownModelError(message) from None
    return options


def id_with_options(name: str, options: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Return `name` with the options that are not at their default, so that two variants are two models in a table.

    >>> id_with_options("random", {"seed": 3, "dim": 128}, {"seed": 0, "dim": 128})
    'random:seed=3'
    """
    shown = {True: "yes", False: "no"}
    changed = [
        f"{key}={shown[value] if isinstance(value, bool) else value}"
        for key, value in options.items()
        if value != defaults.get(key)
    ]
    return f"{name}:{','.join(changed)}" if changed else name
