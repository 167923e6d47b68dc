"""`gene-bench why GENE`: what became of a gene between the files of the sources and the scores of models."""

import argparse
from collections.abc import Iterator

from builders import BuilderError, RawFiles, Trace, select, trace
from builders import load as load_table
from gene_eval.cli.output import DONE, hide_bars_of_datasets
from gene_eval.running.models import load_models
from gene_eval.running.resolve import make_resolve
from gene_eval.running.vectors import ModelVectors
from gene_eval.text import say, some

__all__ = ["why"]


def why(arguments: argparse.Namespace) -> int:
    """Print, for each task, what its source says of a gene and what became of it; then which models have a vector."""
    hide_bars_of_datasets()
    raw = RawFiles(arguments.data_dir)
    names = select(arguments.tasks)
    models = load_models(list(arguments.models), resolve=make_resolve(raw, say)) if arguments.models else []
    symbols: dict[str, None] = {}
    absent: list[str] = []
    unread: dict[str, list[str]] = {}
    for name in names:
        try:
            found = trace(arguments.gene, name, raw)
        except BuilderError as error:
            unread.setdefault(str(error), []).append(name)
            continue
        symbols |= dict.fromkeys(found.symbols)
        if found.is_named or arguments.tasks:
            print("\n".join(_lines(found)))
        else:
            absent.append(name)
    if absent:
        print(f"not named by the source of {len(absent)} tasks: {some(absent, limit=8)}")
    for reason, tasks in unread.items():
        say(f"not looked at: {some(tasks)}: {reason}")
    for each in models:
        vectors = ModelVectors(each.model, raw, name=each.name, log=say)
        print(f"{each.name}: {_vector_of(list(symbols) or [arguments.gene], vectors)}")
    return DONE
