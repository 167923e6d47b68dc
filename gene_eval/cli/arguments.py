"""Arguments of the commands that score models, and kinds of arguments that several commands take."""

import argparse
from pathlib import Path
from typing import Any

__all__ = [
    "add_audit",
    "add_check",
    "add_compute",
    "add_data_dir",
    "add_embed",
    "add_graph_study",
    "add_run",
    "axis",
    "natural",
    "positive",
]


def add_embed(commands: "argparse._SubParsersAction[Any]") -> None:
    """`gene-bench embed`."""
    embed = commands.add_parser("embed", help="write a model's gene vectors to a file")
    embed.add_argument("model", metavar="MODEL")
    embed.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.parquet")
    add_audit(embed)
    embed.add_argument("--genes", default="genes", metavar="TABLE", help="gene table to embed (default: genes)")
    add_data_dir(embed)
    add_compute(embed)


def add_run(commands: "argparse._SubParsersAction[Any]") -> None:
    """`gene-bench run`, and `gene-bench plan` with the same arguments."""
    _add_run_arguments(commands.add_parser("run", help="score models on tasks"))
    plan = commands.add_parser("plan", help="what would this run do, what of it is done, what will it cost?")
    _add_run_arguments(plan)
    plan.add_argument(
        "--timings", action="append", type=Path, default=[], metavar="DIR", help="past results to estimate seconds from"
    )
    plan.add_argument("--format", choices=("text", "csv", "json"), default="text", help="default: text")


def _add_run_arguments(run: argparse.ArgumentParser) -> None:
    run.add_argument("models", nargs="+", metavar="MODEL", help="adapter, Hub id, file of vectors or file.py:Class")
    run.add_argument(
        "-t",
        "--tasks",
        action="append",
        default=[],
        metavar="GLOB",
        help="task, glob, @suite, file.py:Class or csv file; repeatable",
    )
    run.add_argument("--subtasks", action="store_true", help="score each label of a multi-label task by itself too")
    run.add_argument("-o", "--output", type=Path, default=Path("results"), metavar="DIR", help="default: results")
    add_data_dir(run)
    add_compute(run)
    run.add_argument(
        "--memory",
        type=_bytes,
        metavar="N",
        help="memory the probe may use besides the vectors: bytes, or 500M, 4G (default: half of what is free)",
    )
    run.add_argument("--seed", type=natural, default=0, metavar="N", help="seed of the probe (default: 0)")
    run.add_argument(
        "--split",
        action="append",
        metavar="S",
        help="random (default; published where the task has parts), family, chromosome; gene_disjoint, family_disjoint"
        " for pairs; disease_disjoint; repeat for more",
    )
    run.add_argument(
        "--repeats",
        type=positive,
        default=1,
        metavar="R",
        help="how many cross-validations, each on other folds (default: 1)",
    )
    run.add_argument(
        "--head",
        action="append",
        metavar="H",
        help="what is fitted: linear (default), ridge, mlp, knn, centroid, gcn, gat, or module:Class; repeat for more",
    )
    run.add_argument(
        "--shots",
        type=_shots,
        nargs="+",
        metavar="K",
        help="fit on K examples of each class, drawn 20 times (5 times for sequences, as GENEB does); or all",
    )
    run.add_argument(
        "--controls",
        action="store_true",
        help="also score controls: shuffled:MODEL, lookup:family and pair, nuisance:publications and all",
    )
    run.add_argument(
        "--gain",
        nargs="?",
        const="nuisance:all",
        metavar="NUISANCE",
        help="also score what vectors add to covariates, nuisance:all or another (put it after the MODELs)",
    )
    run.add_argument(
        "--control", metavar="C", help="permuted: also the same fits on permuted labels, for p and selectivity"
    )
    run.add_argument(
        "--permutations",
        type=positive,
        metavar="P",
        help="how many permutations (default: 20, the fewest for p below 0.05)",
    )
    run.add_argument(
        "--curve", action="store_true", help="also fit on 1/16 to 1/2 of the training entities: a learning curve"
    )
    run.add_argument("--protocol", metavar="P", help="paper (default), geneb (default for sequences), or scaled")
    run.add_argument("--engine", metavar="E", help="fast (default) or sklearn, the readable reference")
    run.add_argument(
        "--missing",
        choices=("drop", "error"),
        default="drop",
        help="what to do about entities without a vector: drop (default) leaves them out, error fails the task",
    )
    run.add_argument(
        "--pairs",
        choices=("average", "concat"),
        default="average",
        help="how two vectors become that of a pair (default: average)",
    )
    run.add_argument("--diseases", metavar="MODEL", help="text model for the diseases of tasks that have them")
    run.add_argument("--terms", metavar="MODEL", help="text model for the terms of a graph of the Gene Ontology")
    run.add_argument(
        "--common-genes", action="store_true", help="score only genes that all of the models have; results kept apart"
    )
    run.add_argument(
        "--dedupe", action="store_true", help="leave out test sequences that also occur in the training part"
    )
    run.add_argument(
        "--name", action="append", metavar="NAME", help="name of a model in the results; one for each MODEL"
    )
    run.add_argument(
        "--predictions",
        action=argparse.BooleanOptionalAction,
        help="keep predictions beside each result (default); if given, results that lack them are made again",
    )
    run.add_argument("--overwrite", action="store_true", help="run again what DIR already holds")
    _add_cluster(run)


def _add_cluster(run: argparse.ArgumentParser) -> None:
    """On many machines, by Dask."""
    where = run.add_mutually_exclusive_group()
    where.add_argument("--scheduler", metavar="ADDRESS", help="run on the workers of a Dask scheduler, tcp://HOST:8786")
    where.add_argument(
        "--scheduler-file", type=Path, metavar="FILE", help="the same, from the file that the scheduler wrote"
    )
    where.add_argument(
        "--cluster",
        type=Path,
        metavar="FILE.yaml",
        help="start the workers that the file describes: local, slurm, lsf, pbs or sge; see docs/cluster.md",
    )
    run.add_argument("--gather", action="store_true", help="workers do not see DIR: send results back and write here")
    run.add_argument("--dashboard", action="store_true", help="print the address of Dask's page about the run")


def add_check(commands: "argparse._SubParsersAction[Any]") -> None:
    """`gene-bench check`."""
    check = commands.add_parser("check", help="does my model fit? 20 genes, no download")
    check.add_argument("model", metavar="MODEL")
    check.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: the best there is)")
    add_data_dir(check)
    add_audit(check)


def add_graph_study(commands: "argparse._SubParsersAction[Any]") -> None:
    """`gene-bench graph-study`."""
    study = commands.add_parser("graph-study", help="what do graphs add to a model's vectors?")
    study.add_argument("model", metavar="MODEL")
    study.add_argument("--graph", default="string,go,string+go", metavar="G,...", help="default: string,go,string+go")
    study.add_argument("-t", "--task", action="append", dest="tasks", default=[], metavar="GLOB", required=True)
    study.add_argument(
        "-o", "--output", type=Path, default=Path("graph-study"), metavar="DIR", help="default: graph-study"
    )
    study.add_argument("--split", nargs="+", default=["random", "family"], metavar="S", help="default: random family")
    study.add_argument(
        "--arms", metavar="A,...", help="only these arms, such as propagated,gcn (default: all but node2vec)"
    )
    study.add_argument(
        "--head-options",
        # Genen's own, which are the defaults of the heads, take smaller steps and more epochs.
        default="lr=0.01,patience=20,epochs=100",
        metavar="O",
        help="options of gcn and gat; '' takes Genen's (default: %(default)s)",
    )
    study.add_argument(
        "--mask", metavar="SHARE,...", help="also hide vectors of these shares, such as 0,0.25,0.5,0.75,0.9"
    )
    study.add_argument("--mask-seeds", type=positive, default=5, metavar="N", help="draws of hidden genes (default: 5)")
    study.add_argument(
        "--leaks", action="store_true", help="list terms that state the label; score graphs without them too"
    )
    study.add_argument("--strata", action="store_true", help="also score quarters of genes by publications")
    study.add_argument("--terms", metavar="MODEL", help="text model for the terms of the Gene Ontology")
    study.add_argument("--seed", type=int, default=0, metavar="N", help="seed of networks (default: 0)")
    study.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: the best there is)")
    add_data_dir(study)


def add_audit(parser: argparse.ArgumentParser) -> None:
    """`--audit FILE`."""
    parser.add_argument(
        "--audit", type=Path, metavar="FILE", help="write what became of each identifier of the vectors (csv or tsv)"
    )


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """`--data-dir DIR`."""
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="raw files, DIR/<source>/<file>; default: download"
    )


def add_compute(parser: argparse.ArgumentParser) -> None:
    """`--device` and `--batch-size`."""
    parser.add_argument(
        "--device",
        metavar="D",
        help="cuda, mps or cpu, or several: cuda:0,cuda:1 (default: every GPU, or the best)",
    )
    parser.add_argument("--batch-size", type=positive, metavar="N", help="genes at a time (default: the model's own)")


def axis(text: str) -> tuple[str, str]:
    """AXIS=VALUE."""
    axis, sign, value = text.partition("=")
    if not (axis and sign and value):
        message = f"'{text}' is not AXIS=VALUE, such as head=mlp"
        raise argparse.ArgumentTypeError(message)
    return axis, value


def natural(text: str) -> int:
    """A whole number, 0 or above."""
    if not text.isdecimal():
        message = f"'{text}' is not a whole number, 0 or above"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def positive(text: str) -> int:
    """A whole number, 1 or above."""
    if not text.isdecimal() or int(text) < 1:
        message = f"'{text}' is not a whole number, 1 or above"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _shots(text: str) -> int | None:
    return None if text in ("all", "full") else positive(text)


def _bytes(text: str) -> float:
    units = {"K": 1e3, "M": 1e6, "G": 1e9}
    unit = units.get(text[-1:].upper(), 1.0)
    number = text[:-1] if unit > 1 else text
    if not number.replace(".", "", 1).isdecimal() or float(number) == 0:
        message = f"'{text}' is not an amount of memory; expected bytes, or a number with K, M or G, such as 4G"
        raise argparse.ArgumentTypeError(message)
    return float(number) * unit
