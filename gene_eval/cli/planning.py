"""`gene-bench power`: what differences tasks can show, before a model is run."""

import argparse
import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from gene_eval.cli.output import DONE, SOME_FAILED, hide_bars_of_datasets, print_columns, thousands
from gene_eval.running.validity.power import task_powers
from gene_eval.text import cell, say

__all__ = ["power", "print_rows"]


def power(arguments: argparse.Namespace) -> int:
    """Print the planned detectable difference of each task."""
    hide_bars_of_datasets()
    rows, failures = task_powers(arguments.tasks, data_dir=arguments.data_dir)
    shown = [
        [
            *(row["task"], row["target"], thousands(row["n"]), thousands(row["smallest_class"])),
            *("–" if math.isnan(row[name]) else f"{row[name]:.3f}" for name in ("std_error", "detectable")),
            "ranked" if row["is_ranked"] else f"not ranked: {row['why_unranked']}",
        ]
        for row in rows
    ]
    header = ("task", "target", "n", "smallest class", "standard error", "detectable", "in ranks")
    print_rows(arguments.format, rows, header, shown)
    say("detectable: of two models of ROC-AUC 0.75, found with a chance of 80 %; next: gene-bench run MODEL -t TASK")
    return SOME_FAILED if failures else DONE


def print_rows(
    form: str, rows: Sequence[Mapping[str, Any]], header: Sequence[str], shown: Sequence[Sequence[str]]
) -> None:
    """Print rows of equal columns as CSV or JSON, or what is shown of them as text; undefined numbers are empty."""
    plain = [
        {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
        for row in rows
    ]
    if form == "json":
        print(json.dumps(plain, indent=2, ensure_ascii=False))
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, fieldnames=list(plain[0]) if plain else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: cell(value) for name, value in row.items()} for row in plain)
    else:
        print_columns(header, shown)
