"""The page: all results of a report in one HTML file that needs no network and sends nothing anywhere.

Of more than `MOST_IN_ONE` results, what only single models and tasks need lies in a folder beside it, one script for
each, which the page loads when a reader comes to it. A browser lets no page from a disk read files, but run scripts.

Names of models, tasks and labels come from files of others. They are written as JSON and put on the page as text only;
its Content-Security-Policy runs no script but the page's own, by its hash, and loads nothing.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files
from string import Template

from gene_eval.analysis.tables import Report

__all__ = ["MOST_IN_ONE", "is_large", "render", "render_parts"]

MOST_IN_ONE = 2_000
SCRIPTS = (
    "page_data.js",
    "page_parts.js",
    "page_stats.js",
    "page_state.js",
    "page_dom.js",
    "page_table.js",
    "page_leaderboard.js",
    "page_tasks.js",
    "page_detail.js",
    "page_compare.js",
    "page_main.js",
)
STYLE = "page.css"
# In a script element these would end it, or begin a comment; JSON allows them as escapes.
ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def is_large(report: Report) -> bool:
    """Whether the page is written in parts."""
    return sum(len(table.results) for table in report.tables) > MOST_IN_ONE


def render(report: Report) -> str:
    """The page's HTML with all data in it; equal reports give equal pages."""
    # Late: only the page needs scipy's distributions here.
    from gene_eval.reporting.page.data import page_data

    return _page(_json(page_data(report)), further="")


def render_parts(report: Report, folder: str) -> Iterator[tuple[str, str]]:
    """Name and content of each part, then of the page itself, whose name is empty.

    Args:
        report: What is shown.
        folder: Name of the folder beside the page where its parts lie.
    """
    from gene_eval.reporting.page.data import page_data, page_parts

    data = page_data(report, in_parts=True)
    # Parts of another report, left over or half written, are refused by it.
    data["stamp"] = hashlib.sha256(_json(data).encode()).hexdigest()[:16]
    data["folder"] = folder
    for name, content in page_parts(report):
        yield f"{name}.js", f"takePart({json.dumps(name)},{json.dumps(data['stamp'])},{_json(content)});\n"
    # A script that the page's own adds may run; no other.
    yield "", _page(_json(data), further=" 'strict-dynamic'")


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(ESCAPES)


def _page(data: str, *, further: str) -> str:
    style = _template(STYLE)
    script = "".join(["'use strict';\n", *map(_template, SCRIPTS)])
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'{further}; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    content = {"policy": policy, "style": style, "script": script, "data": data}
    return Template(_template("page.html")).substitute(content)


def _template(name: str) -> str:
    return files("gene_eval.reporting.page").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
