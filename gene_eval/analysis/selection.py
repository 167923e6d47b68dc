"""Which settings a comparison or a card is about, where a folder holds results of several."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any

from gene_eval.core.errors import UnknownNameError
from gene_eval.errors import ReportError
from gene_eval.results.settings import ALL_ENTITIES, Settings

__all__ = ["AXES", "choose_settings"]

AXES = tuple(each.name for each in fields(Settings))


def choose_settings(known: Iterable[Settings], where: Mapping[str, Any] | None = None, *, of: str = "") -> Settings:
    """The one among several settings that fits; if they differ only in `entities`, the one on all entities.

    Args:
        known: Settings of the results at hand.
        where: Axis to the wanted value, as text or as it is; None, "none" and "all" mean the same.
        of: Whose results, for messages.

    Raises:
        UnknownNameError: There is no such axis.
        ReportError: None fits, or several.

    >>> choose_settings([Settings(), Settings(head="mlp")], {"head": "mlp"}).head
    'mlp'
    >>> choose_settings([Settings(), Settings(shots=5)], {"shots": "None"}).shots is None
    True
    """
    wanted = {axis: _text(value) for axis, value in (where or {}).items()}
    for axis in wanted:
        if axis not in AXES:
            raise UnknownNameError(axis, kind="axis", known=AXES)
    there = sorted(set(known))
    found = [each for each in there if wanted.items() <= _texts(each).items()]
    whole = [each for each in found if each.entities == ALL_ENTITIES]
    if len(found) > 1 and len(whole) == 1 and len({_but_entities(each) for each in found}) == 1:
        return whole[0]
    if len(found) == 1:
        return found[0]
    asked = f" with {', '.join(f'{axis}={value}' for axis, value in wanted.items())}" if wanted else ""
    held = f"results of {len(found)} settings" if found else "no results"
    # Settings at their default are not shown.
    unset = {axis for each in found for axis, value in asdict(each).items() if value is None}
    several = sorted(axis for axis in unset if len({getattr(each, axis) for each in found}) > 1)
    example = f", such as {several[0]}=none" if several else ""
    msg = (
        f"{of} has {held}{asked} (there are: {'; '.join(map(str, there))});"
        f" say which with --where AXIS=VALUE{example} (where= in Python)"
    )
    raise ReportError(msg)


def _texts(settings: Settings) -> dict[str, str]:
    return {axis: _text(value) for axis, value in asdict(settings).items()}


def _text(value: Any) -> str:
    return "all" if str(value).lower() == "none" else str(value)


def _but_entities(settings: Settings) -> tuple[tuple[str, str], ...]:
    return tuple((axis, value) for axis, value in _texts(settings).items() if axis != "entities")
