"""`gene-bench power` and `gene-bench plan`: what tasks can show and what a run would cost, before any model is run."""

import argparse
import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gene_eval.cli.output import DONE, SOME_FAILED, hide_bars_of_datasets, print_columns, thousands
from gene_eval.cli.scoring import options_of_run
from gene_eval.running.planning.steps import RunPlan, StepRow
from gene_eval.running.planning.steps import plan as plan_run
from gene_eval.running.validity.power import task_powers
from gene_eval.text import cell, say

__all__ = ["plan", "power", "print_rows"]


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


def plan(arguments: argparse.Namespace) -> int:
    """Print the steps of a run, which are done and what the rest would cost; nothing is written."""
    hide_bars_of_datasets()
    found = plan_run(
        list(arguments.models),
        arguments.tasks,
        out=arguments.output,
        timings=arguments.timings,
        log=say,
        **{name: value for name, value in options_of_run(arguments).items() if name != "gather"},
    )
    rows = [asdict(row) for row in found.rows]
    shown = [
        [row.step, row.name, str(row.n), str(row.done), _number(row.seconds), _number(row.gib)] for row in found.rows
    ]
    print_rows(arguments.format, rows, ("step", "of", "steps", "done", "seconds", "GiB"), shown)
    say(_summary(found))
    return DONE


def _number(value: float) -> str:
    return "?" if math.isnan(value) else f"{value:.3g}"


def _summary(found: RunPlan) -> str:
    def total(step: str) -> list[StepRow]:
        return [row for row in found.rows if row.step == step]

    fits = total("fit")
    done, n = sum(row.done for row in fits), sum(row.n for row in fits)
    known = [row.seconds for row in found.rows if not math.isnan(row.seconds)]
    line = f"{done:,} of {n:,} cells are done; nothing was written"
    if found.costs is None:
        return f"{line}; no results with timings to estimate seconds from: name a folder of some with --timings DIR"
    line += (
        f"; about {sum(known):,.0f} s of one worker like those of the {found.costs.n:,} results that this is estimated"
        f" from (four of five of them within a factor of {found.costs.factor:.1f})"
    )
    return f"{line}; without an estimate: {found.unknown:,} cells" if found.unknown else line


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
