"""`gene-bench graph-study`: what graphs add to the vectors of a model."""

import argparse
import math
from pathlib import Path
from typing import Any

from builders import RawFiles, load
from builders.graphs import parse_graph
from gene_eval.cli.output import DONE, SOME_FAILED, hide_bars_of_datasets
from gene_eval.core.heads.choices import head_name
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.errors import GeneBenchError
from gene_eval.files import atomic_write, check_writable
from gene_eval.reporting.plots.save import in_style, write
from gene_eval.running.encoding.vectors import ModelVectors
from gene_eval.running.models import load_models
from gene_eval.running.outcome import Failure
from gene_eval.running.resolve import make_resolve
from gene_eval.running.tasks import TaskArrays, collect_tasks
from gene_eval.studying.arms import USUAL, arms
from gene_eval.studying.leaks import Leaks, find_leaks
from gene_eval.studying.masking import WHERE, Masking
from gene_eval.studying.strata import strata_of
from gene_eval.studying.study import run_arms
from gene_eval.studying.text import curves_text, leaks_text, strata_text, study_text
from gene_eval.text import say

__all__ = ["graph_study"]


def graph_study(arguments: argparse.Namespace) -> int:
    """Score all arms, then whatever else was asked for; the tables go to stdout and to `study.md`."""
    hide_bars_of_datasets()
    out: Path = arguments.output
    check_writable(out / "study.md")
    graphs = arguments.graph.split(",")
    for graph in graphs:
        parse_graph(graph)
    shares = _shares(arguments.mask)
    raw = RawFiles(arguments.data_dir)
    publications = _publications(raw) if arguments.strata else {}
    tasks, failed = _tasks(arguments, raw)
    common = {
        "raw": raw,
        "device": arguments.device,
        "terms": arguments.terms,
        "seed": arguments.seed,
    }
    wanted = tuple(arguments.arms.split(",")) if arguments.arms else USUAL
    options: dict[str, Any] = {"out": out, "splits": arguments.split, "log": say, **common}
    lines = [f"# {arguments.model} on {', '.join(graphs)}", ""]
    for task in tasks:
        of_task = arms(arguments.model, graphs, wanted=wanted, options=arguments.head_options)
        leaks = _leaks(task, raw, graphs, out) if arguments.leaks else None
        if leaks is not None:
            without = [_without(each, leaks.path) for each in graphs if _has_go(each)]
            of_task += arms(
                arguments.model,
                without,
                wanted=tuple({"propagated", "gcn"} & set(wanted)) or ("propagated",),
                options=arguments.head_options,
            )[1:]
        for study in run_arms(of_task, [task.record.id], **options):
            lines += study_text(study)
            if publications and task.record.target == "binary":
                shown = {name: each for name, each in study.results.items() if not name.endswith("no model")}
                lines += strata_text(strata_of(shown, publications, out))
            failed += study.failures
        lines += leaks_text(leaks) if leaks is not None else []
        lines += _curves(task, arguments, raw, graphs, shares, out) if shares else []
    atomic_write(out / "study.md", "\n".join(lines))
    print("\n".join(lines))
    say(f"wrote {out / 'study.md'}; results, and what was predicted, lie beside it")
    return SOME_FAILED if failed else DONE


def _publications(raw: RawFiles) -> dict[str, float]:
    table = load("gene_covariates", raw).dataset
    if "publications" not in table.column_names:
        message = "--strata needs publications; gene-bench build gene_covariates says which file is not there"
        raise GeneBenchError(message)
    pairs = zip(table["symbol"][:], table["publications"][:], strict=True)
    return {symbol: float(count) for symbol, count in pairs if count is not None and not math.isnan(count)}


def _shares(text: str | None) -> list[float]:
    try:
        shares = [float(each) for each in text.split(",")] if text else []
    except ValueError:
        shares = [-1.0]
    if any(not 0 <= share < 1 for share in shares) or sorted(set(shares)) != shares:
        message = f"--mask {text}: expected ascending shares from 0 to below 1, such as 0,0.25,0.5,0.75,0.9"
        raise GeneBenchError(message)
    return shares


def _tasks(arguments: argparse.Namespace, raw: RawFiles) -> tuple[list[TaskArrays], list[Failure]]:
    found: list[TaskArrays] = []
    failed: list[Failure] = []
    for item in collect_tasks(arguments.tasks, raw):
        if isinstance(item, Failure):
            say(f"failed: {item.task}: {item.reason}")
            failed.append(item)
        elif item.record.entity != "gene":
            message = (
                f"{item.record.id} is about {item.record.entity}s, but nodes of a graph are genes; take another task"
            )
            raise GeneBenchError(message)
        else:
            found.append(item)
    return found, failed


def _has_go(graph: str) -> bool:
    return any(part.name == "go" for part in parse_graph(graph))


def _without(graph: str, path: Path) -> str:
    """The graph; its part from the ontology is without the terms of a file."""
    parts = ((part, part.partition(":")[0] == "go") for part in graph.split("+"))
    return "+".join(f"{part}:without={path}" if is_go else part for part, is_go in parts)


def _leaks(task: TaskArrays, raw: RawFiles, graphs: list[str], out: Path) -> Leaks | None:
    if task.record.target == "regression" or not any(map(_has_go, graphs)):
        return None
    leaks = find_leaks(task, raw, out / "leaks" / f"{task.record.id.replace('/', '__')}.txt")
    return leaks if leaks.terms else None


def _curves(
    task: TaskArrays, arguments: argparse.Namespace, raw: RawFiles, graphs: list[str], shares: list[float], out: Path
) -> list[str]:
    resolve = make_resolve(raw, say)
    terms = None
    if arguments.terms:
        (named,) = load_models(arguments.terms, resolve=resolve)
        terms = ModelVectors(named.model, raw, name=named.name, log=say)
    (model,) = load_models(arguments.model, resolve=resolve)
    vectors = ModelVectors(model.model, raw, name=model.name, device=arguments.device, log=say, terms=terms)
    masking = Masking(task, vectors, out / "masking" / task.record.id, log=say)
    more = f",{arguments.head_options}" if arguments.head_options else ""
    chosen = [("linear, plain vectors", "linear", "")]
    for graph in graphs:
        chosen.append((f"linear, propagated on {graph}", "linear", graph))
        chosen.append((f"GCN on {graph}", head_name(f"gcn:graph={graph}{more}"), graph))
    if arguments.arms:
        kinds = set(arguments.arms.split(","))
        chosen = [each for each in chosen if not each[2] or ("propagated" if each[1] == "linear" else "gcn") in kinds]
    curves = masking.curves(chosen, shares, arguments.mask_seeds, WHERE)
    # Late: matplotlib takes half a second to load, and most studies draw nothing.
    from gene_eval.studying.picture import curves_picture

    metric = MAIN_METRIC[task.record.target]
    with in_style():
        drawn = list(write(curves_picture(task.record.id, metric, curves), out / "masking", task.record.id))
    say(f"wrote {', '.join(map(str, drawn))}")
    return curves_text(task.record.id, curves)
