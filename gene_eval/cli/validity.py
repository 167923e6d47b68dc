"""`gene-bench bias` and `leaks`: what a score may owe to fame, and to labels that are given away."""

import argparse
import json
import math
from typing import Any

import gene_eval
from gene_eval.cli.output import DONE, SOME_FAILED, hide_bars_of_datasets, print_columns, thousands
from gene_eval.cli.planning import print_rows
from gene_eval.files import check_writable
from gene_eval.running.validity.leaks import STATED, Leaks, find_leaks
from gene_eval.text import say

__all__ = ["bias", "leaks"]

NOTHING = "–"


def bias(arguments: argparse.Namespace) -> int:
    """Score by tertile and quintile of publication count; CSV and JSON have a row for each, text a line a result."""
    if arguments.plot is not None:
        check_writable(arguments.plot)
    hide_bars_of_datasets()
    results = gene_eval.load_results(arguments.results)
    found = results.bias(data_dir=arguments.data_dir)
    for line in (*results.problems, *found.left_out):
        say(f"warning: {line}")
    rows = [{**row, "slope": None, "slope_low": None, "slope_high": None} for row in found.rows()]
    slopes = {(each["model"], each["task"], each["settings"]): each for each in found.slopes()}
    for row in rows:
        slope = slopes[row["model"], row["task"], row["settings"]]
        row |= {"slope": slope["slope"], "slope_low": slope["low"], "slope_high": slope["high"]}
    shown = [
        [
            *(each.model, each.task.id, each.metric, thousands(each.n)),
            *(_number(score) for strata in each.strata.values() for score in (strata.scores[0], strata.scores[-1])),
            f"{_signed(each.slope[0])} ({_signed(each.slope[1])} to {_signed(each.slope[2])})",
        ]
        for each in found.found
    ]
    parts = ("least third", "most third", "least fifth", "most fifth")
    header = ("model", "task", "metric", "n", *parts, "slope (95 % interval)")
    print_rows(arguments.format, rows, header, shown)
    say("slope: score for ten times the publications, by fifths of the tested genes; intervals draw genes anew")
    if arguments.plot is not None:
        from gene_eval.reporting.plots.save import write_figure

        write_figure(found.plot, arguments.plot)
        say(f"wrote {arguments.plot}")
    return SOME_FAILED if results.problems or found.left_out else DONE


def leaks(arguments: argparse.Namespace) -> int:
    """Say which labels texts state, which cells are flagged, and how far tasks repeat each other."""
    hide_bars_of_datasets()
    results = None if arguments.results is None else gene_eval.load_results(arguments.results)
    found = find_leaks(arguments.tasks, results=results, data_dir=arguments.data_dir, column=arguments.input)
    for failure in found.failures:
        say(f"failed: {failure.task}: {failure.reason}")
    if arguments.format == "json":
        ranks = {
            name: [[each.model, each.rank, each.low, each.high] for each in group.models]
            for name, group in found.rankings.items()
        }
        content = {"labels": found.labels, "tasks": found.tasks, "overlap": found.overlap.tolist()}
        content |= {"effective_tasks": found.effective, "masked": found.masked, "flags": found.flags}
        content |= {"means": found.means, "rankings": ranks}
        print(json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False))
    elif arguments.format == "csv":
        print_rows("csv", found.labels, (), ())
    else:
        _print_leaks(found)
    say(f"{len(found.tasks)} tasks, {found.effective:.1f} in effect; flagged from a difference of {STATED} on")
    return SOME_FAILED if found.failures else DONE


def _print_leaks(found: Leaks) -> None:
    labels = [
        [
            *(row["task"], row["label"], thousands(row["positives"])),
            *(_number(row[name]) for name in ("share_of_positives", "share_of_negatives", "difference")),
            row["flag"],
        ]
        for row in found.labels
    ]
    print_columns(("task", "label", "positives", "share", "share of negatives", "difference", "flag"), labels)
    tasks = [[row["task"], _number(row["stated"]), _number(row["weight"]), row["flag"]] for row in found.tasks]
    print()
    print_columns(("task", "mean difference", "weight", "flag"), tasks)
    if found.masked:
        print()
        masked = [
            [row["model"], row["task"], *(_number(row[name]) for name in ("score", "masked", "difference"))]
            for row in found.masked
        ]
        print_columns(("model", "task", "score", "masked", "difference"), masked)
    if found.flags:
        print()
        print_columns(("model", "task", "flag"), [[row["model"], row["task"], row["flag"]] for row in found.flags])
    if found.means:
        print()
        means = [
            [row["model"], str(row["tasks"]), *(_number(row[name]) for name in ("mean", "weighted_mean"))]
            for row in found.means
        ]
        print_columns(("model", "tasks", "mean", "weighted mean"), means)
    for name, group in found.rankings.items():
        print(f"\nRanks, {name} (mean over {group.basis})")
        ranks = [
            [each.model, str(each.rank), NOTHING if each.low is None else f"{each.low}–{each.high}"]
            for each in group.models
        ]
        print_columns(("model", "rank", "95 % interval"), ranks)


def _plain(value: Any) -> Any:
    """The same with null in place of undefined numbers."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _number(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:z.3f}"


def _signed(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:+z.3f}"
