"""The largest differences between the scores of two folders of results.

    python benchmarks/same_scores.py OLD NEW

Compares what both folders hold for a model and a task (result files of any schema), fold by fold, over all labels and
for each label: one line for each task with the metric that differs most, then the largest difference of all, of fold
values and of means. Results that only one folder has are counted. Exits with 1 if nothing could be compared.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """Of one task and metric: the largest of fold values, of the means over folds, and what was compared."""

    folds: float
    mean: float
    metric: str


def read(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Result files by (model folder, file name without suffix)."""
    return {
        (path.parent.name, path.stem): content
        for path in sorted(folder.glob("*/*.json"))
        if "scores" in (content := json.loads(path.read_text(encoding="utf-8")))
    }


def scores(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(metric, score) over all labels, then (metric of a label, score)."""
    yield from result["scores"].items()
    for label, table in (result.get("labels") or {}).items():
        yield from ((f"{metric} of {label}", score) for metric, score in table.items())


def gap(one: float | None, two: float | None) -> float:
    """How far two values are apart: 0 if both are undefined, infinite if one is."""
    defined = [value is not None and not math.isnan(value) for value in (one, two)]
    if one is None or two is None or not all(defined):
        return math.inf if any(defined) else 0.0
    return abs(one - two)


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[Difference]:
    """Of all metrics that both have, and infinite for those that one of them lacks."""
    one, two = dict(scores(old)), dict(scores(new))
    found = [Difference(math.inf, math.inf, metric) for metric in sorted(one.keys() ^ two.keys())]
    for metric in sorted(one.keys() & two.keys()):
        folds = [tuple(each[metric]["folds"]) for each in (one, two)]
        largest = max(map(gap, *folds), default=0.0) if len(folds[0]) == len(folds[1]) else math.inf
        found.append(Difference(largest, gap(one[metric]["mean"], two[metric]["mean"]), metric))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each task and the largest difference of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="folder of results")
    parser.add_argument("new", type=Path, help="folder of results to compare with it")
    options = parser.parse_args(arguments)
    old, new = read(options.old), read(options.new)
    both = sorted(old.keys() & new.keys())
    overall: list[tuple[Difference, str]] = []
    for key in both:
        found = differences(old[key], new[key])
        worst, mean = max(found), max(found, key=lambda each: each.mean)
        overall += [(each, " ".join(key)) for each in found if " of " not in each.metric]
        print(
            f"{key[0]:32s} {key[1]:36s} folds {worst.folds:.1e} ({worst.metric})  means {mean.mean:.1e} ({mean.metric})"
        )
    if len(old) + len(new) > 2 * len(both):
        print(f"only in {options.old}: {len(old) - len(both)}, only in {options.new}: {len(new) - len(both)}")
    if not both:
        print(f"no result of {options.old} ({len(old)}) is in {options.new} ({len(new)})")
        return 1
    for what, at in (("fold", 0), ("mean", 1)):
        difference, where = max(overall, key=lambda each: each[0][at])
        at_most = f"{difference[at]:.1e} ({where}, {difference.metric})"
        print(f"largest {what} difference over all labels of {len(both)} results: {at_most}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
