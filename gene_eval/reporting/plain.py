"""Reports as CSV and JSON, bit by bit: of 400,000 results they are hundreds of megabytes."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import chain, combinations

from gene_eval.analysis.pairing import MOST_MODELS
from gene_eval.analysis.rankings import GroupRanking
from gene_eval.analysis.tables import Means, Report, Table
from gene_eval.reporting.rows import Row, each_row, mean_rows
from gene_eval.results.records import defined
from gene_eval.text import cell

__all__ = ["csv_pieces", "json_pieces"]

LINES = 1_000


class _Stream(list[Row]):
    """Rows that are made when the encoder asks for them; it takes nothing but lists for lists."""

    def __init__(self, make: Callable[[], Iterator[Row]]) -> None:
        super().__init__()
        self._make = make

    def __iter__(self) -> Iterator[Row]:
        return self._make()

    def __bool__(self) -> bool:
        return True


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
    """What `gene_eval.reporting.text.to_json` gives, some tokens at a time."""
    content = {"tables": [_table_facts(table) for table in report.tables], "problems": report.problems}
    tokens: list[str] = []
    for token in json.JSONEncoder(indent=2, ensure_ascii=False, allow_nan=False).iterencode(content):
        tokens.append(token)
        if len(tokens) == 50 * LINES:
            yield "".join(tokens)
            tokens.clear()
    yield "".join(tokens) + "\n"


def _table_facts(table: Table) -> dict[str, object]:
    return {
        "settings": asdict(table.settings),
        "models": table.models,
        "controls": table.controls,
        "groups": table.groups,
        "figure2_groups": table.figure2_groups,
        "rows": _Stream(lambda: each_row(table)),
        **{name: _mean_facts(getattr(table, name)) for name in ("means", "figure2", "figure_s1")},
        "rankings": [_ranking_facts(group) for group in table.rankings],
        "task_rankings": [
            {**_ranking_facts(task), "metric": task.metric, "detectable": defined(task.detectable)}
            for task in table.task_rankings
        ],
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


def _mean_facts(means: Means) -> list[dict[str, object]]:
    return [{"model": model, "family": family, **asdict(mean)} for (model, family), mean in sorted(means.items())]
