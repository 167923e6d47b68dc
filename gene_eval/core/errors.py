"""Errors of the probe.

    ValueError
    └── ProbeError            the arrays or options handed to the probe cannot be scored
        └── UnknownNameError  a target, protocol, engine or option that does not exist

Every message is one line: what was given, what was expected, what to do.
"""

import difflib
from collections.abc import Iterable

__all__ = ["ProbeError", "UnknownNameError"]


class ProbeError(ValueError):
    """Arrays or options that the probe cannot score."""


class UnknownNameError(ProbeError):
    """A name that is not one of the known ones; the message suggests the nearest.

    >>> print(UnknownNameError("regresion", kind="target", known=["binary", "regression"]))
    unknown target 'regresion': did you mean 'regression'? (known: binary, regression)
    """

    def __init__(self, given: object, *, kind: str, known: Iterable[str]) -> None:
        """Say which `kind` of name was given and which ones are known."""
        names = sorted(known)
        near = difflib.get_close_matches(str(given), names, n=1)
        hint = f"did you mean {near[0]!r}? (known: {', '.join(names)})" if near else f"choose one of {', '.join(names)}"
        super().__init__(f"unknown {kind} {given!r}: {hint}")
