"""What the site shows of the code itself: the commands, the fields of a result file, and the diagram of the rooms.

`docs/hooks.py` puts them where a page has `<!-- made: NAME -->`, and replaces a mermaid diagram by the drawing, so that
no page loads a script from another server.
"""

import argparse
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from html import escape
from types import UnionType
from typing import Any, get_args, get_origin

from gene_eval.cli.parser import make_parser
from gene_eval.results.records import OPTIONAL, Score, TaskResult
from gene_eval.results.schema import INLINE, SCHEMA_VERSION

__all__ = ["MADE", "commands_markdown", "diagram_svg", "schema_markdown"]

FIELDS = r"(?:Args|Attributes):\n"
EVERYWHERE = ("--help", "--quiet", "--verbose")
BOX, ROW, GAP, LETTER = 34, 84, 18, 8.2
"""Height of a box, distance of rows, distance of boxes, and width of a letter, in pixels."""


def commands_markdown() -> str:
    """One section for each command: what it does, how it is called, and all its arguments."""
    return "\n".join(
        line for name, command, about in _commands(make_parser()) for line in _command(name, command, about)
    )


def _commands(above: argparse.ArgumentParser, prefix: str = "") -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    for action in above._actions:
        if isinstance(action, argparse._SubParsersAction):
            about = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield f"{prefix}{name}", command, about[name]
                yield from _commands(command, f"{prefix}{name} ")


def _command(name: str, command: argparse.ArgumentParser, about: str) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{about[:1].upper()}{about[1:]}.\n"
    usage = re.sub(r"\s+", " ", re.sub(r"\[-h\] ", "", command.format_usage().removeprefix("usage: "))).strip()
    yield f"<pre class='usage'><code>{escape(usage)}</code></pre>\n"
    arguments = [action for action in command._actions if not isinstance(action, argparse._SubParsersAction)]
    told = [action for action in arguments if not set(action.option_strings) & set(EVERYWHERE)]
    if told:
        yield "| argument | what it says |\n| --- | --- |"
        for action in told:
            yield f"| {_argument(action)} | {_cell(escape(_help(action), quote=False))} |"
        yield ""


def _argument(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else None
    if value is None and action.choices is not None:
        value = "|".join(str(choice) for choice in action.choices)
    value = value or action.dest.upper()
    if not action.option_strings:
        return f"`{_cell(value)}`"
    takes = "" if action.nargs == 0 else f" {value}"
    return ", ".join(f"`{_cell(flag + takes)}`" for flag in action.option_strings)


def _help(action: argparse.Action) -> str:
    """The help text, with argparse's `%(default)s` and `%%` filled in."""
    return (action.help or "") % {**vars(action)}


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def schema_markdown() -> str:
    """The fields of a result file, record by record, with their types; what a record means is its docstring."""
    return "\n".join([f"Schema version {SCHEMA_VERSION}.\n", *_record("", TaskResult)])


def _record(path: str, record: Any) -> Iterator[str]:
    yield f"## `{path}`\n" if path else "## The file\n"
    yield f"{re.split(FIELDS, inspect.cleandoc(record.__doc__))[0].strip()}\n"
    told = _arguments(record.__doc__)
    below: dict[str, Any] = {}
    yield "| field | type | what it is |\n| --- | --- | --- |"
    for each in fields(record):
        inlined = each.metadata.get(INLINE)
        for shown in fields(each.type) if inlined else (each,):  # type: ignore[arg-type]
            words = told if not inlined else _arguments(str(each.type.__doc__))
            yield f"| `{shown.name}` | {_cell(_type(shown.type))} | {_cell(words.get(shown.name, _presence(shown)))} |"
            if inner := _inner(shown.type):
                below[f"{path}.{shown.name}".lstrip(".")] = inner
    yield ""
    for name, inner in below.items():
        # Scores are in several places, and have the same form everywhere.
        if inner is not Score or name == "scores":
            yield from _record(name, inner)


def _arguments(doc: str) -> dict[str, str]:
    """Field -> what the docstring says about it."""
    *_, after = re.split(FIELDS, inspect.cleandoc(doc))
    return {name: " ".join(text.split()) for name, text in re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", after, re.M)}


def _presence(field: Field[Any]) -> str:
    if field.name in OPTIONAL:
        return "left out where there is nothing in it"
    return "" if field.default is MISSING and field.default_factory is MISSING else "not in every older file"


def _inner(kind: Any) -> Any:
    """The record that a field holds, or holds one of for each name; None if it holds none."""
    if is_dataclass(kind):
        return kind
    return next((found for part in get_args(kind) if (found := _inner(part))), None)


def _type(kind: Any) -> str:
    """A type in the words of JSON."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return " or ".join("null" if part is type(None) else _type(part) for part in arguments)
    if origin is tuple:
        inner = _type(arguments[0])
        return f"list of {inner}" + ("" if inner.startswith("list") else "s")
    if origin is Mapping:
        return f"name to {_type(arguments[1])}"
    names = {str: "string", int: "integer", float: "number", bool: "true or false", object: "anything"}
    if is_dataclass(kind):
        return "score" if kind is Score else "object (see below)"
    return names[kind]


def diagram_svg(mermaid: str) -> str:
    """A mermaid flowchart of `name["text"]` and `a --> b & c` as an SVG drawing, arrows from top to bottom.

    Colours are those of the page, so that it is right in light and in dark.
    """
    titles = dict(re.findall(r"(\w+)\[\"([^\"<]+)", mermaid))
    lines = re.findall(r"^ *(\w+)\S* --> (.+)$", mermaid, re.MULTILINE)
    arrows = [(above, below) for above, targets in lines for below in targets.split(" & ")]
    place, width, height = _layout(titles, arrows)
    parts = [
        f"<line x1='{place[a][0]:.0f}' y1='{place[a][1] + BOX / 2:.0f}' x2='{place[b][0]:.0f}'"
        f" y2='{place[b][1] - BOX / 2 - 2:.0f}' marker-end='url(#tip)'/>"
        for a, b in arrows
    ]
    for name, (x, y) in place.items():
        wide = len(titles[name]) * LETTER + 16
        parts.append(f"<rect x='{x - wide / 2:.0f}' y='{y - BOX / 2:.0f}' width='{wide:.0f}' height='{BOX}' rx='4'/>")
        parts.append(f"<text x='{x:.0f}' y='{y + 5:.0f}'>{escape(titles[name])}</text>")
    tip = "<marker id='tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
    tip += "<path d='M0 0L8 4L0 8z'/></marker>"
    about = f"Diagram: {len(titles)} boxes, {len(arrows)} arrows"
    svg = f"<svg viewBox='0 0 {width:.0f} {height:.0f}' role='img' aria-label='{about}'>"
    return f"<div class='rooms'>{svg}<defs>{tip}</defs>{''.join(parts)}</svg></div>"


def _layout(
    titles: Mapping[str, str], arrows: list[tuple[str, str]]
) -> tuple[dict[str, tuple[float, float]], float, float]:
    """Centre of each box, and the size of the drawing: a box is one row below the lowest box that points at it."""
    row = dict.fromkeys(titles, 0)
    for _ in titles:
        for above, below in arrows:
            row[below] = max(row[below], row[above] + 1)
    rows = [[name for name in titles if row[name] == number] for number in range(max(row.values()) + 1)]
    widths = {name: len(title) * LETTER + 16 + GAP for name, title in titles.items()}
    total = max(sum(widths[name] for name in names) for names in rows)
    place: dict[str, tuple[float, float]] = {}
    for number, names in enumerate(rows):
        x_above = {name: [place[a][0] for a, b in arrows if b == name] for name in names}
        names.sort(key=lambda name: sum(x_above[name]) / max(len(x_above[name]), 1))
        x = (total - sum(widths[name] for name in names)) / 2
        for name in names:
            place[name] = (x + widths[name] / 2, number * ROW + BOX / 2 + 2)
            x += widths[name]
    return place, total, len(rows) * ROW - ROW + BOX + 4


MADE = {"commands": commands_markdown, "schema": schema_markdown}
"""Name in a page -> what is put there."""
