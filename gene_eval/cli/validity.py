"""`gene-bench bias`: what a score may owe to how well genes are studied."""

import argparse
import math

import gene_eval
from gene_eval.cli.output import DONE, SOME_FAILED, hide_bars_of_datasets, thousands
from gene_eval.cli.planning import print_rows
from gene_eval.files import check_writable
from gene_eval.text import say

__all__ = ["bias"]


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


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:z.3f}"


def _signed(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+z.3f}"
