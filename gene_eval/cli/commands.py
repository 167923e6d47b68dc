"""What each command does, given its parsed arguments; `cli` reads them and reports errors."""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from builders import BuilderError, Built, RawFiles, TaskConfig, configs, load, select
from gene_eval.analysis.compare import compare as compare_models
from gene_eval.analysis.compare import find_model
from gene_eval.core.engines import DEFAULT_ENGINE, ENGINES, PROTOCOLS
from gene_eval.core.errors import ProbeError, UnknownNameError
from gene_eval.errors import GeneBenchError
from gene_eval.files import atomic_write
from gene_eval.metrics.register import register_comparison, register_metric
from gene_eval.publishing.cards import benchmark, make_card, write_card
from gene_eval.publishing.export import export, redistributable
from gene_eval.reporting import comparison_text
from gene_eval.reporting import text as reports
from gene_eval.reporting.plots import save as plots
from gene_eval.results import store as results
from gene_eval.results.records import TaskResult
from gene_eval.running.runner import RunOptions
from gene_eval.running.runner import run as run_all
from gene_eval.running.toy_genes import MADE_UP, columns_read, toy_genes
from gene_eval.running.vectors import audit_text, make_resolve
from gene_eval.running.verify import verify as verify_results
from gene_eval.text import say
from model_adapters import AdapterError, as_matrix, describe, health, load_model
from model_adapters import embed as embed_genes

__all__ = ["USER_ERRORS"]

USER_ERRORS = (AdapterError, BuilderError, GeneBenchError, ProbeError)
DONE, SOME_FAILED = 0, 1


def tasks(arguments: argparse.Namespace) -> int:
    """List tasks."""
    known = configs()
    chosen = [config for name in select(arguments.patterns) if isinstance(config := known[name], TaskConfig)]
    if arguments.json:
        print(json.dumps([_task_facts(config) for config in chosen], indent=2))
        return DONE
    rows = [[c.name, c.target, c.entity, c.family, _number(c.paper_size), c.paper_name or ""] for c in chosen]
    _print_columns(["task", "target", "entity", "family", "paper n", "name in the paper"], rows)
    say(f"{len(chosen)} tasks; next: gene-bench run MODEL -t TASK")
    return DONE


def _task_facts(config: TaskConfig) -> dict[str, object]:
    names = (
        "name", "target", "entity", "family", "figure2_family", "source", "column", "labels", "license", "description",
        "paper_name", "paper_size", "ranked", "gene_table",
    )  # fmt: skip
    return {**{name: getattr(config, name) for name in names}, "version": str(config.version)}


def models(arguments: argparse.Namespace) -> int:
    """List model adapters."""
    facts = [{"name": name, **asdict(info)} for name, info in describe().items()]
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return DONE
    for row in facts:
        print(f"{row.pop('name')} ({row.pop('family')})")
        for name, value in row.items():
            print(f"    {name:<11}{value}")
    say("MODEL may also be a Hub id, a file of vectors or file.py:Class; next: gene-bench check MODEL")
    return DONE


def build(arguments: argparse.Namespace) -> int:
    """Build datasets, register the metric, and say what was built and what was not."""
    names = select(arguments.patterns, tables=True)
    raw = RawFiles(arguments.data_dir)
    # A bar for each of a hundred small datasets says less than the lines below.
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
    _print_columns(AUDIT_COLUMNS, [_audit_row(item) for item in done])
    if failed:
        print()
        _print_columns(["not built", "why"], [[name, reason] for reason, names_ in failed.items() for name in names_])
    say(f"{len(done)} of {len(names)} built; the metric is evaluate.load('gene_probe')")
    if arguments.export:
        _export(done, arguments.export)
    return SOME_FAILED if failed else DONE


def _export(done: Sequence[Built], folder: Path) -> None:
    allowed = [item for item in done if redistributable(item)]
    closed = [item for item in done if item not in allowed]
    for item in closed:
        say(f"not exported: {item.config.name}, since its source does not state that rows may be redistributed")
    say(f"wrote {export(allowed, folder, left_out=closed)}" if allowed else f"nothing to export, {folder} is as it was")


AUDIT_COLUMNS = [
    "config", "state", "rows read", "changed", "ambiguous", "unmapped", "duplicates", "conflicts", "rare labels", "n",
    "paper n",
]  # fmt: skip


def _audit_row(item: Built) -> list[str]:
    audit = item.audit
    numbers = (
        audit.rows_read, audit.changed, audit.identifiers.get("ambiguous", 0),
        audit.identifiers.get("unmapped", 0) + audit.identifiers.get("withdrawn", 0),
        audit.duplicates_collapsed, audit.conflicts_dropped, len(audit.labels_dropped), audit.n, audit.paper_n,
    )  # fmt: skip
    return [item.config.name, "built" if item.built else "cached", *map(_number, numbers)]


def register(arguments: argparse.Namespace) -> int:
    """Make the metric loadable by its bare name."""
    print(register_metric())
    print(register_comparison())
    say("next, in Python: evaluate.load('gene_probe')")
    return DONE


def embed(arguments: argparse.Namespace) -> int:
    """Write a model's vectors of a gene table to a parquet file."""
    if arguments.output.suffix != ".parquet":
        message = f"-o {arguments.output}: expected a file name that ends in .parquet"
        raise GeneBenchError(message)
    raw = RawFiles(arguments.data_dir)
    model = load_model(arguments.model, resolve=make_resolve(raw, say))
    _quiet_unless_terminal()
    part = _part_of(arguments.output)
    genes = load(arguments.genes, raw).dataset
    table = embed_genes(genes, model, batch_size=arguments.batch_size, device=arguments.device, progress=_is_terminal())
    try:
        table.to_parquet(part)
        part.replace(arguments.output)
    finally:
        part.unlink(missing_ok=True)
    if details := audit_text(model):
        say(f"read from the file: {details}")
    say(f"wrote {len(table):,} vectors of {model.model_id} to {arguments.output}")
    for line in _health_lines(health(table, genes)):
        say(line)
    say(f"next: gene-bench run {shlex.quote(str(arguments.output))} -t TASK")
    return DONE


def _part_of(path: Path) -> Path:
    """Name the file that becomes `path` in the end; hours of work do not begin where it cannot be written."""
    if path.is_dir():
        message = f"-o {path} is a folder, expected the name of a file"
        raise GeneBenchError(message)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        part.unlink()
    except OSError as error:
        message = f"-o {path} cannot be written: {error.strerror}; name a file in a folder that can be"
        raise GeneBenchError(message) from error
    return part


def _health_lines(state: dict[str, Any]) -> Iterator[str]:
    norm, odd = state["norm"], f"{state['zero_rows']:,} zero, {state['duplicate_rows']:,} equal to one before"
    lengths = f"norms {norm['min']:g} to {norm['max']:g}, median {norm['median']:g}"
    yield f"vectors: dimension {state['dim']}, {odd}; {lengths}"
    yield f"rank: {state['effective_rank']:g} effective directions; {state['constant_columns']} constant columns"
    groups = (f"{n['with_vector']:,} of {n['genes']:,} {group}" for group, n in state.get("coverage", {}).items())
    yield f"genes with a vector: {', '.join(groups)}"


def run(arguments: argparse.Namespace) -> int:
    """Score models on tasks; the table goes to stdout."""
    engine = arguments.engine or DEFAULT_ENGINE
    for name, kind, known in ((engine, "engine", ENGINES), (arguments.protocol, "protocol", PROTOCOLS)):
        if name not in known:
            raise UnknownNameError(name, kind=kind, known=known)
    options = RunOptions(
        out=arguments.output,
        data_dir=arguments.data_dir,
        device=arguments.device,
        memory=arguments.memory,
        batch_size=arguments.batch_size,
        seed=arguments.seed,
        protocol=arguments.protocol,
        engine=engine,
        missing=arguments.missing,
        common_genes=arguments.common_genes,
        pairs=arguments.pairs,
        diseases=arguments.diseases,
        overwrite=arguments.overwrite,
        progress=_is_terminal(),
    )
    _quiet_unless_terminal()
    outcome = run_all(arguments.models, arguments.tasks, options, split_labels=arguments.subtasks, log=say)
    if outcome.results:
        report = reports.build(outcome.results)
        print(reports.to_text(report), end="")
        _warn(report)
    if outcome.fitted:
        say(f"seconds: {', '.join(f'{stage} {seconds:.1f}' for stage, seconds in outcome.seconds.items())}")
    say(_closing(outcome.fitted, outcome.up_to_date, len(outcome.failures), options.out))
    return SOME_FAILED if outcome.failures else DONE


def _closing(fitted: int, up_to_date: int, failed: int, out: Path) -> str:
    parts = [f"{fitted} results written to {out}" if fitted else "no task was fitted"]
    if up_to_date:
        parts.append(f"{up_to_date} were up to date")
    if failed:
        parts.append(f"{failed} failed (see above)")
    line = "; ".join(parts)
    return f"{line}; next: gene-bench report {shlex.quote(str(out))} --format md" if fitted or up_to_date else line


def check(arguments: argparse.Namespace) -> int:
    """Run a model on a few starter genes and say what came out."""
    model = load_model(arguments.model, resolve=make_resolve(RawFiles(), say))
    _quiet_unless_terminal()
    genes = toy_genes()
    toys = genes["symbol"][:]
    made_up = [column for column in dict.fromkeys(columns_read(model)) if column in MADE_UP]
    table = embed_genes(genes, model, device=arguments.device)
    symbols, matrix = as_matrix(table)
    known = [row for row, symbol in enumerate(symbols) if symbol in set(toys)]
    distinct = len(np.unique(matrix[known], axis=0))
    print(f"model      {model.model_id} (adapter {model.adapter}, revision {model.revision or 'none'})")
    print(f"vectors    {len(symbols):,} of dimension {matrix.shape[1]}")
    print(f"genes      {len(known)} of {len(toys)} toy genes have a vector")
    print(f"distinct   {distinct} different vectors among them")
    for column in made_up:
        print(f"input      {column}: made up for this check, no real sequences")
    state = health(table)
    norm = state["norm"]
    print(f"norms      {norm['min']:g} to {norm['max']:g}, median {norm['median']:g}; {state['zero_rows']} zero")
    print(f"rank       {state['effective_rank']:g} effective directions; {state['constant_columns']} constant columns")
    if not known:
        message = f"none of the toy genes ({', '.join(toys[:3])}, ...) has a vector; name genes by HGNC symbol"
        raise GeneBenchError(message)
    if distinct == 1 < len(known):
        message = f"{model.model_id} gives all {len(known)} toy genes the same vector; look at its encode"
        raise GeneBenchError(message)
    models_ = " ".join(dict.fromkeys([shlex.quote(arguments.model), "random"]))
    if made_up:
        # The starter tasks have no sequences either.
        say(f"{model.model_id} fits; next: gene-bench run {models_} -t TASK --data-dir DIR (see docs/models.md)")
    else:
        say(f"{model.model_id} fits; next: gene-bench run {models_} -t 'starter_*'")
    return DONE


def report(arguments: argparse.Namespace) -> int:
    """Make a table or page, and pictures, of the results in a folder."""
    found = results.load_folder(arguments.results)
    made = reports.build(found.results, problems=found.problems)
    pair = arguments.pair and _pair(arguments.pair, found.results)
    text = reports.RENDERERS[arguments.format](made)
    _warn(made)
    if arguments.plots is not None:
        paths = plots.save(made, arguments.plots, pair=pair)
        say(f"wrote to {arguments.plots}: {', '.join(path.relative_to(arguments.plots).as_posix() for path in paths)}")
    if arguments.output is None:
        print(text, end="")
    else:
        atomic_write(arguments.output, text)
        say(f"wrote {arguments.output}")
    return SOME_FAILED if found.problems else DONE


def _pair(names: Sequence[str], found: Sequence[TaskResult]) -> tuple[str, str]:
    known = sorted({each.model.id for each in found})
    first, second = (find_model(name, known) for name in names)
    return first, second


def card(arguments: argparse.Namespace) -> int:
    """Write a model's results into its card, and into the file that benchmarks on the Hub read."""
    found = results.load_folder(arguments.results)
    made = make_card(found.results, arguments.model, dataset=benchmark(arguments.dataset), plot=arguments.plot)
    for path in write_card(made, arguments.output):
        say(f"wrote {path}")
    for problem in found.problems:
        say(f"warning: {problem}")
    return SOME_FAILED if found.problems else DONE


def verify(arguments: argparse.Namespace) -> int:
    """Run saved results again; one line for each says whether it reproduces, and if not, why."""
    recorded = [results.load(path) for path in arguments.paths]
    _quiet_unless_terminal()
    verdicts = verify_results(
        recorded, model=arguments.model, data_dir=arguments.data_dir, device=arguments.device, log=say
    )
    for verdict in verdicts:
        print(verdict)
    return DONE if all(verdict.reproduced for verdict in verdicts) else SOME_FAILED


def push(arguments: argparse.Namespace) -> int:
    """Show what would be published on the Hub, and with `--yes` do it."""
    # By entry point: only push_scripts may write to the Hub, and nothing here may import it.
    # Not entry_points(): a stale egg-info in the working directory would hide the installed package from it.
    entries = [entry for found in distributions(name="gene-bench") for entry in found.entry_points]
    found = [entry for entry in entries if (entry.group, entry.name) == ("gene_bench.commands", "push")]
    if not found:
        message = "this installation of gene-bench cannot push; install the package again: pip install ."
        raise GeneBenchError(message)
    return int(found[0].load()(arguments))


def compare(arguments: argparse.Namespace) -> int:
    """Compare two models of a results folder."""
    found = results.load_folder(arguments.results)
    for line in found.problems:
        say(f"warning: {line}")
    comparison = compare_models(found.results, arguments.model_a, arguments.model_b)
    for line in comparison.warnings:
        say(f"warning: {line}")
    print(comparison_text.to_text(comparison), end="")
    return SOME_FAILED if found.problems else DONE


def _warn(made: reports.Report) -> None:
    for line in (*made.problems, *(warning for table in made.tables for warning in table.warnings)):
        say(f"warning: {line}")


def _is_terminal() -> bool:
    return sys.stderr.isatty()


def _quiet_unless_terminal() -> None:
    if not _is_terminal():
        datasets.disable_progress_bars()


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _print_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
