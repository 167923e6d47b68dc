"""`gene-bench build` and `gene-bench register`: datasets and `evaluate` modules that load by name."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import datasets

from builders import DATASET_NAME, BuilderError, Built, RawFiles, configs, load, select
from builders.folds import SCHEMES
from builders.text import some
from gene_eval.catalogue.suites import expand
from gene_eval.cli.output import DONE, SOME_FAILED, print_columns, thousands
from gene_eval.metrics.register import register_comparison, register_metric
from gene_eval.publishing.export import export, opened
from gene_eval.text import say

__all__ = ["build", "register"]

AUDIT_COLUMNS = [
    "config", "state", "rows read", "changed", "ambiguous", "unmapped", "duplicates", "conflicts", "rare labels", "n",
    "paper n",
]  # fmt: skip
FEW = 5


def build(arguments: argparse.Namespace) -> int:
    """Build datasets, register the metric, and say what was built and what was not."""
    names = select(expand(arguments.patterns), tables=True, sequences=False)
    raw = RawFiles(arguments.data_dir)
    # A progress bar for each of a hundred small datasets says less than the lines below.
    datasets.disable_progress_bars()
    done: list[Built] = []
    failed: dict[str, list[str]] = {}
    for number, name in enumerate(names, start=1):
        say(f"[{number}/{len(names)}] {name}")
        try:
            done.append(load(name, raw, rebuild=True))
        except BuilderError as error:
            failed.setdefault(str(error), []).append(name)
    register_metric()
    register_comparison()
    print_columns(AUDIT_COLUMNS, [_audit_row(item) for item in done])
    for item in done:
        if item.audit.is_small:
            say(
                f"warning: {item.config.name} has {item.audit.n:,} entities, {item.audit.paper_n:,} in the paper;"
                " are the source's files complete?"
            )
    for line in (*_lines_of_losses(done), *_lines_of_absent_folds(done)):
        say(line)
    if failed:
        print()
        print_columns(["not built", "why"], [[name, reason] for reason, names_ in failed.items() for name in names_])
    say(f"{len(done)} of {len(names)} built; in Python: load_dataset('gene-bench', TASK), evaluate.load('gene_probe')")
    if not arguments.patterns:
        say("tasks about DNA sequences are built when they are named: gene-bench build 'geneb_*'")
        closed = [name for name, config in configs().items() if getattr(config, "on_request", False)]
        say(f"so are those whose terms restrict who may use them: gene-bench build {' '.join(closed)}")
    if not os.environ.get("HF_HUB_OFFLINE"):
        say("note: without a network set HF_HUB_OFFLINE=1, or these calls wait about a minute for the Hub first")
    if Path(DATASET_NAME).is_dir():
        # load_dataset takes a folder of that name for the dataset, whatever it holds.
        say(
            f"note: there is a folder {DATASET_NAME} here, which load_dataset('{DATASET_NAME}', ...) would take;"
            " start Python in another folder"
        )
    if arguments.export:
        _export(done, arguments.export)
    return SOME_FAILED if failed else DONE


def _lines_of_losses(done: Sequence[Built]) -> list[str]:
    """What each task left out, by name, if there are only a few tasks: for many, the counts above are enough."""
    losses = {item.config.name: item.audit.losses() for item in done}
    if len(done) > FEW:
        return ["what a task left out, by name: gene-bench build TASK"] if any(losses.values()) else []
    return [
        line for name, lines in losses.items() if lines for line in (f"left out of {name}:", *(f"  {x}" for x in lines))
    ]


def _lines_of_absent_folds(done: Sequence[Built]) -> list[str]:
    """A line for each reason why fold columns could not be made."""
    tasks: dict[str, list[str]] = {}
    schemes: dict[str, set[str]] = {}
    for item in done:
        for scheme, reason in item.audit.no_splits.items():
            tasks.setdefault(reason, []).append(item.config.name)
            schemes.setdefault(reason, set()).add(SCHEMES[scheme].column)
    return [
        f"no column {', '.join(sorted(schemes[reason]))} in {some(dict.fromkeys(names))}: {reason}"
        for reason, names in tasks.items()
    ]


def _export(done: Sequence[Built], folder: Path) -> None:
    allowed, closed = opened(done)
    for item in allowed:
        whole = next(each for each in done if each.config.name == item.config.name)
        if without := [name for name in whole.dataset.column_names if name not in item.dataset.column_names]:
            say(f"exported without {', '.join(without)}: {item.config.name}, since their source does not state terms")
    for item in closed:
        say(f"not exported: {item.config.name}, since its source does not state that rows may be redistributed")
    say(f"wrote {export(allowed, folder, left_out=closed)}" if allowed else f"nothing to export, {folder} is as it was")


def _audit_row(item: Built) -> list[str]:
    audit = item.audit
    numbers = (
        audit.rows_read, audit.changed, audit.identifiers.get("ambiguous", 0),
        audit.identifiers.get("unmapped", 0) + audit.identifiers.get("withdrawn", 0),
        audit.duplicates_collapsed, audit.conflicts_dropped, len(audit.labels_dropped), audit.n, audit.paper_n,
    )  # fmt: skip
    return [item.config.name, "built" if item.built else "cached", *map(thousands, numbers)]


def register(_arguments: argparse.Namespace) -> int:
    """Make the metric loadable by its bare name."""
    print(register_metric())
    print(register_comparison())
    say("next, in Python: evaluate.load('gene_probe')")
    return DONE
