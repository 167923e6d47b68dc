"""Reports as CSV and JSON, bit by bit: of 400,000 results they are hundreds of megabytes."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cache
from itertools import chain, combinations
from typing import Any

from gene_eval.analysis.pairing import MOST_MODELS
from gene_eval.analysis.rankings import GroupRanking
from gene_eval.analysis.tables import Means, Report, Table
from gene_eval.reporting.rows import each_row, mean_rows
from gene_eval.results.records import defined
from gene_eval.text import cell

__all__ = ["csv_pieces", "json_pieces"]

LINES = 1_000


def csv_pieces(report: Report) -> Iterator[str]:
    """What `gene_eval.reporting.text.to_csv` gives, some lines at a time."""
    listed = chain.from_iterable(chain(each_row(table), mean_rows(table)) for table in report.tables)
    first = next(listed)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(first), lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(chain([first], listed), start=1):
        writer.writerow({name: cell(value) for name, value in row.items()})
        if number % LINES == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def json_pieces(report: Report) -> Iterator[str]:
    """What `gene_eval.reporting.text.to_json` gives, some records at a time."""
    content = {"tables": map(_table_facts, report.tables), "problems": report.problems}
    pieces: list[str] = []
    for piece in chain(_encoded(content, "\n"), "\n"):
        pieces.append(piece)
        if len(pieces) == LINES:
            yield "".join(pieces)
            pieces.clear()
    yield "".join(pieces)


def _encoded(value: Any, newline: str) -> Iterator[str]:
    """JSON indented by two spaces; what is an iterator is a list whose elements are made when they are written.

    Args:
        value: What is written.
        newline: The end of a line, and its indent.
    """
    inner = f"{newline}  "
    if isinstance(value, Iterator):
        opened, closed = "[", "]"
        parts = (_encoded(each, inner) for each in value)
    elif isinstance(value, dict) and any(isinstance(each, Iterator) for each in value.values()):
        opened, closed = "{", "}"
        parts = (chain([f"{_encoder('')(name)}: "], _encoded(each, inner)) for name, each in value.items())
    else:
        yield _text(value, newline)
        return
    before = f"{opened}{inner}"
    for part in parts:
        yield before
        yield from part
        before = f",{inner}"
    yield f"{newline}{closed}" if before[0] == "," else f"{opened}{closed}"


def _text(value: Any, newline: str) -> str:
    """The same of what is there; the json module's own encoder is written in Python where there is an indent."""
    if not value or not isinstance(value, dict | list | tuple):
        return _encoder("")(value)
    inner, (opened, closed) = f"{newline}  ", "{}" if isinstance(value, dict) else "[]"
    within = list(value.values()) if isinstance(value, dict) else value
    if not any(isinstance(each, dict | list | tuple) for each in within):
        return f"{opened}{inner}{_encoder(inner)(value)[1:-1]}{newline}{closed}"
    texts = [_text(each, inner) for each in within]
    if isinstance(value, dict):
        texts = [f"{_encoder('')(name)}: {text}" for name, text in zip(value, texts, strict=True)]
    return f"{opened}{inner}{f',{inner}'.join(texts)}{newline}{closed}"


@cache
def _encoder(newline: str) -> Callable[[object], str]:
    return json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(f",{newline}", ": ")).encode


def _table_facts(table: Table) -> dict[str, object]:
    return {
        "settings": asdict(table.settings),
        "models": table.models,
        "controls": table.controls,
        "groups": table.groups,
        "figure2_groups": table.figure2_groups,
        "rows": each_row(table),
        **{name: _mean_facts(getattr(table, name)) for name in ("means", "figure2", "figure_s1")},
        "rankings": map(_ranking_facts, table.rankings),
        "task_rankings": (
            {**_ranking_facts(task), "metric": task.metric, "detectable": defined(task.detectable)}
            for task in table.task_rankings
        ),
        "planned": {task.name: task.planned for task in table.tasks},
        "unranked": {task.name: task.why_unranked for task in table.tasks if task.why_unranked},
        "warnings": table.warnings,
    }


def _ranking_facts(group: GroupRanking) -> dict[str, object]:
    return {
        "group": group.name,
        "basis": group.basis,
        "models": [asdict(each) for each in group.models],
        "ties": group.ties,
        "left_out": group.left_out,
        "uneven": group.uneven,
        "pairs": _pair_facts(group),
    }


def _pair_facts(group: GroupRanking) -> list[dict[str, object]]:
    """Each pair of models, better mean first: p of these two alone, Holm's over all pairs, and whether they differ.

    None of more than `MOST_MODELS` models: a million pairs for each group.
    """
    if len(group.models) > MOST_MODELS:
        return []
    return [
        {
            "models": [one.model, other.model],
            "p": defined(group.pair_p_values[one.model, other.model]),
            "p_holm": defined(group.p_values[one.model, other.model]),
            "differ": (one.model, other.model) in group.distinguished,
        }
        for one, other in combinations(group.models, 2)
    ]


def _mean_facts(means: Means) -> Iterator[dict[str, object]]:
    return ({"model": model, "family": family, **asdict(mean)} for (model, family), mean in sorted(means.items()))
