"""`gene-bench run` and `gene-bench verify`: thin shells over `gene_eval.run` and `gene_eval.running.verify`."""

import argparse
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gene_eval
from gene_eval.cli.output import DONE, SOME_FAILED, hide_bars_of_datasets
from gene_eval.errors import GeneBenchError, SchedulerLostError
from gene_eval.results import store
from gene_eval.running.verify import verify as verify_results
from gene_eval.text import say

__all__ = ["options_of_run", "run", "verify"]

OPTIONS = (
    *("data_dir", "device", "memory", "batch_size", "seed", "split", "repeats", "head", "shots", "controls"),
    *("gain", "control", "permutations", "curve"),
    *(
        "protocol",
        "engine",
        "missing",
        "common_genes",
        "dedupe",
        "name",
        "pairs",
        "diseases",
        "terms",
        "predictions",
        "subtasks",
        "overwrite",
        "gather",
    ),
)
"""Options of `gene_eval.run` that the command line has under the same name."""


def run(arguments: argparse.Namespace) -> int:
    """Score models on tasks; the table goes to stdout."""
    hide_bars_of_datasets()
    options = options_of_run(arguments)
    out: Path = arguments.output
    try:
        with _client(arguments) as client:
            results = gene_eval.run(list(arguments.models), arguments.tasks, out=out, log=say, client=client, **options)
    except SchedulerLostError as error:
        say(f"failed: {error}")
        return SOME_FAILED
    if results.results:
        print(results)
        for line in results.warnings:
            say(f"warning: {line}")
    if results.fitted:
        say(f"seconds: {', '.join(f'{stage} {seconds:.1f}' for stage, seconds in results.seconds.items())}")
    form = "geneb" if {result.task.entity for result in results.results} == {"sequence"} else "md"
    say(_closing(results.fitted, results.up_to_date, len(results.failures), out, form=form))
    return SOME_FAILED if results.failures else DONE


def options_of_run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Options of `gene_eval.run`, as the arguments have them."""
    options = {name: value for name in OPTIONS if (value := getattr(arguments, name)) is not None}
    return options | ({"progress": False} if arguments.quiet else {})


@contextmanager
def _client(arguments: argparse.Namespace) -> Iterator[Any]:
    """The client of the cluster that was named; None if none was."""
    where = {name: getattr(arguments, name) for name in ("scheduler", "scheduler_file", "cluster")}
    if not any(where.values()):
        for name in ("gather", "dashboard"):
            if getattr(arguments, name):
                message = f"--{name} is for a run on many machines; name a cluster with --scheduler or --cluster"
                raise GeneBenchError(message)
        yield None
        return
    if find_spec("distributed") is None:
        message = "a run on many machines needs Dask; install it: pip install 'gene-bench[distributed]'"
        raise GeneBenchError(message)
    from gene_eval.running.cluster.connect import connected

    with connected(**where) as client:
        if arguments.dashboard:
            say(f"dashboard: {client.dashboard_link}")
        yield client


def _closing(fitted: int, up_to_date: int, failed: int, out: Path, *, form: str = "md") -> str:
    parts = [f"{fitted} results written to {out}" if fitted else "no task was fitted"]
    if up_to_date:
        parts.append(f"{up_to_date} were up to date")
    if failed:
        parts.append(f"{failed} failed (see above)")
    line = "; ".join(parts)
    return f"{line}; next: gene-bench report {shlex.quote(str(out))} --format {form}" if fitted or up_to_date else line


def verify(arguments: argparse.Namespace) -> int:
    """Run saved results again; a line for each says whether it is reproduced, and if not, why."""
    recorded = [store.load(path) for path in arguments.paths]
    hide_bars_of_datasets()
    verdicts = verify_results(
        recorded, model=arguments.model, data_dir=arguments.data_dir, device=arguments.device, log=say
    )
    for verdict in verdicts:
        print(verdict)
        if arguments.verbose:
            print("\n".join(f"    {line}" for line in verdict.details))
    if len(verdicts) < len(recorded):
        say(f"{len(recorded) - len(verdicts)} results of other models than {arguments.model} were left out")
    return DONE if all(verdict.reproduced for verdict in verdicts) else SOME_FAILED
