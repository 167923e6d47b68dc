"""The page: all results of a report in one HTML file that needs no network and sends nothing anywhere.

Names of models, tasks and labels come from files of others. They are written as JSON and put on the page as text only;
its Content-Security-Policy runs no script but the page's own, by its hash, and loads nothing.
"""

import base64
import hashlib
import json
from importlib.resources import files
from string import Template

from gene_eval.analysis.tables import Report

__all__ = ["render"]

SCRIPTS = (
    "page_data.js",
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


def render(report: Report) -> str:
    """The page's HTML; equal reports give equal pages."""
    # Late: only the page needs scipy's distributions here.
    from gene_eval.reporting.page.data import page_data

    style = _template(STYLE)
    script = "".join(["'use strict';\n", *map(_template, SCRIPTS)])
    data = json.dumps(page_data(report), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    content = {"policy": policy, "style": style, "script": script, "data": data.translate(ESCAPES)}
    return Template(_template("page.html")).substitute(content)


def _template(name: str) -> str:
    return files("gene_eval.reporting.page").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
