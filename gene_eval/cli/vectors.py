"""`gene-bench embed` and `gene-bench check`: a model's vectors, and whether they are what a run takes."""

import argparse
import csv
import io
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from builders import RawFiles, load
from builders.symbols import LISTING_COLUMNS
from gene_eval.cli.output import DONE, hide_bars_of_datasets
from gene_eval.errors import GeneBenchError
from gene_eval.files import atomic_path, atomic_write, check_writable
from gene_eval.running.encoding.graphs import GraphReader, hand_over
from gene_eval.running.encoding.inputs import reading_lines
from gene_eval.running.encoding.vectors import ready_to_embed
from gene_eval.running.resolve import Resolve, make_resolve
from gene_eval.running.toy_genes import MADE_UP, columns_read, toy_genes
from gene_eval.text import say
from model_adapters import embed_table, gene_coverage, load_model

__all__ = ["check", "embed"]

# What a reader says about a file begins with one of these, or is a note.
HEADINGS = {
    "identifiers": "ids",
    "dimensions": "dimensions",
    "left out": "left out",
    "resolved": "resolved",
    "unknown": "unknown",
}


def embed(arguments: argparse.Namespace) -> int:
    """Write a model's vectors of a gene table to a parquet file."""
    if arguments.output.suffix != ".parquet":
        message = f"-o {arguments.output}: expected a file name that ends in .parquet"
        raise GeneBenchError(message)
    check_writable(arguments.output)
    raw = RawFiles(arguments.data_dir)
    resolve = make_resolve(raw, say)
    model = load_model(arguments.model, resolve=resolve)
    hide_bars_of_datasets()
    genes = ready_to_embed(load(arguments.genes, raw).dataset, model, raw, say)
    table = embed_table(
        genes,
        model,
        batch_size=arguments.batch_size,
        device=arguments.device,
        progress=sys.stderr.isatty() and not arguments.quiet,
    )
    with atomic_path(arguments.output) as part:
        table.to_dataset().to_parquet(part)
    for line in reading_lines(model):
        say(line)
    _write_audit(arguments.audit, resolve)
    say(f"wrote {len(table.symbols):,} vectors of {model.model_id} to {arguments.output}")
    for line in _health_lines({**table.health, "coverage": gene_coverage(table.symbols, genes)}):
        say(line)
    say(f"next: gene-bench run {shlex.quote(str(arguments.output))} -t TASK")
    return DONE


def _health_lines(state: Mapping[str, Any]) -> Iterator[str]:
    norm, odd = state["norm"], f"{state['zero_rows']:,} zero, {state['duplicate_rows']:,} equal to one before"
    lengths = f"norms {norm['min']:g} to {norm['max']:g}, median {norm['median']:g}"
    yield f"vectors: dimension {state['dim']}, {odd}; {lengths}"
    yield f"rank: {state['effective_rank']:g} effective directions; {state['constant_columns']} constant columns"
    groups = (f"{n['with_vector']:,} of {n['genes']:,} {group}" for group, n in state.get("coverage", {}).items())
    yield f"genes with a vector: {', '.join(groups)}"


def check(arguments: argparse.Namespace) -> int:
    """Run a model on a few starter genes and say what came out."""
    raw = RawFiles(arguments.data_dir)
    resolve = make_resolve(raw, say)
    model = load_model(arguments.model, resolve=resolve)
    hide_bars_of_datasets()
    genes = toy_genes()
    hand_over(model, lambda name, _: GraphReader(name, raw, log=say))
    symbols = genes["symbol"][:]
    made_up = [column for column in dict.fromkeys(columns_read(model)) if column in MADE_UP]
    table = embed_table(genes, model, device=arguments.device)
    known = [row for row, symbol in enumerate(table.symbols) if symbol in set(symbols)]
    distinct = len(np.unique(table.matrix[known], axis=0))
    print(f"model      {model.model_id} (adapter {model.adapter}, revision {model.revision or 'none'})")
    print(f"vectors    {len(table.symbols):,} of dimension {table.matrix.shape[1]}")
    print(f"genes      {len(known)} of {len(symbols)} toy genes have a vector")
    print(f"distinct   {distinct} different vectors among them")
    for column in made_up:
        print(f"input      {column}: made up for this check, no real sequences")
    for line in reading_lines(model):
        name, _, rest = line.partition(": ")
        print(f"{HEADINGS[name]:<10} {rest}" if name in HEADINGS else f"note       {line}")
    _write_audit(arguments.audit, resolve)
    state = table.health
    norm = state["norm"]
    print(f"norms      {norm['min']:g} to {norm['max']:g}, median {norm['median']:g}; {state['zero_rows']} zero")
    print(f"rank       {state['effective_rank']:g} effective directions; {state['constant_columns']} constant columns")
    if not known:
        message = f"none of the toy genes ({', '.join(symbols[:3])}, ...) has a vector; name genes by HGNC symbol"
        raise GeneBenchError(message)
    if distinct == 1 < len(known):
        message = f"{model.model_id} gives all {len(known)} toy genes the same vector; look at its encode"
        raise GeneBenchError(message)
    models = " ".join(dict.fromkeys([shlex.quote(arguments.model), "random"]))
    if made_up:
        # The starter tasks have no sequences either.
        say(f"{model.model_id} fits; next: gene-bench run {models} -t TASK --data-dir DIR (see docs/models.md)")
    else:
        say(f"{model.model_id} fits; next: gene-bench run {models} -t 'starter_*'")
    return DONE


def _write_audit(path: Path | None, resolve: Resolve | None) -> None:
    """Write what became of every identifier, as a table with a header; nothing unless it was asked for."""
    if path is None:
        return
    if resolve is None:
        message = (
            f"--audit {path}: identifiers were taken as they are, because HGNC's complete set is not here;"
            " name its folder with --data-dir, or build it: gene-bench build genes"
        )
        raise GeneBenchError(message)
    separator = "," if path.suffix == ".csv" else "\t"
    content = io.StringIO()
    writer = csv.writer(content, delimiter=separator, lineterminator="\n")
    writer.writerow(LISTING_COLUMNS)
    writer.writerows(resolve.listing())
    atomic_write(path, content.getvalue())
    say(f"wrote what became of each identifier to {path}")
