"""The command line: reads arguments, calls the package, and turns every user error into one line.

stdout is data, stderr is progress and messages. Exit status: 0 all done, 1 some tasks failed (the others are saved),
2 wrong usage.
"""

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from gene_eval import __version__
from gene_eval.cli.output import DONE, SOME_FAILED, WRONG_USAGE
from gene_eval.text import set_quiet

__all__ = ["main"]

MODULES = {
    **dict.fromkeys(("tasks", "models", "suites"), "listing"),
    **dict.fromkeys(("build", "register"), "building"),
    **dict.fromkeys(("embed", "check"), "vectors"),
    **dict.fromkeys(("run", "verify"), "scoring"),
    **dict.fromkeys(("report", "compare", "card"), "reports"),
    **dict.fromkeys(("import-geneb", "export-geneb"), "geneb"),
    "graph-study": "studying",
    "why": "explaining",
    "power": "planning",
    **dict.fromkeys(("bias", "leaks"), "validity"),
    "push": "publishing",
    "completion": "completion",
    "doctor": "diagnosis",
}
"""Command -> module of this package with a function of its name."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of argparse's two."""
        self.exit(WRONG_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run `gene-bench`.

    Args:
        argv: Arguments without the program's name. Default: those of the process.

    Returns:
        Exit status.
    """
    arguments = _parse(argv)
    set_quiet(quiet=arguments.quiet)
    if arguments.verbose:
        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    try:
        # Imported late: --help answers without datasets or torch, and `tasks` and `models` at once.
        module = import_module(f"gene_eval.cli.{MODULES[arguments.command]}")
        status = int(getattr(module, arguments.command.replace("-", "_"))(arguments))
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("gene-bench: stopped; what was finished is saved", file=sys.stderr)
        return SOME_FAILED
    except BrokenPipeError:
        # The reader (`head`, say) has what it wanted; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except ValueError as error:
        from gene_eval.errors import GeneBenchError

        if not isinstance(error, GeneBenchError):
            raise
        if arguments.verbose:
            traceback.print_exception(error)
        print(f"gene-bench: {' '.join(str(error).split())}", file=sys.stderr)
        return WRONG_USAGE
    except OSError as error:
        reason = " ".join(str(error.strerror or error).split())
        print(f"gene-bench: {error.filename or type(error).__name__}: {reason}", file=sys.stderr)
        return WRONG_USAGE


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the arguments; a MODEL may also stand behind options, where argparse takes no more of a list."""
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and (not hasattr(arguments, "models") or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        arguments.models = [*arguments.models, *rest]
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="gene-bench", description="Measures what models' gene vectors know about genes.")
    parser.add_argument("--version", action="version", version=f"gene-bench {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    tasks = commands.add_parser("tasks", help="list the tasks")
    tasks.add_argument("patterns", nargs="*", metavar="GLOB", help="names, globs such as 'reactome_*', or @suites")
    tasks.add_argument("--json", action="store_true", help="everything about each task, as JSON")
    for name in ("target", "family", "entity", "source"):
        tasks.add_argument(f"--{name}", metavar="NAME", help=f"only tasks of this {name}")
    tasks.add_argument("--built", action="store_true", help="only tasks that load without raw files")
    _add_data_dir(tasks)

    suites = commands.add_parser("suites", help="list the suites: named, versioned lists of tasks")
    suites.add_argument("--json", action="store_true", help="with their tasks, as JSON")

    models = commands.add_parser("models", help="list the model adapters")
    models.add_argument("--json", action="store_true", help="as JSON")

    build = commands.add_parser("build", help="build datasets, and make the metric loadable by name")
    build.add_argument("patterns", nargs="*", metavar="GLOB", help="tasks, tables or @suites; default: all")
    _add_data_dir(build)
    build.add_argument("--export", type=Path, metavar="DIR", help="also write DIR/gene-bench, a Hub dataset repository")

    commands.add_parser("register", help="make evaluate.load('gene_probe') work by name")
    _add_embed(commands)
    _add_run(commands)
    _add_check(commands)
    _add_graph_study(commands)
    _add_why(commands)
    _add_power(commands)
    _add_bias(commands)
    _add_leaks(commands)
    _add_report(commands)
    _add_card(commands)
    _add_geneb(commands)
    _add_verify(commands)
    _add_push(commands)
    doctor = commands.add_parser("doctor", help="versions, devices, caches, data: what is found, and what to mend")
    _add_data_dir(doctor)
    completion = commands.add_parser("completion", help="script that completes commands and names in a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    completion.set_defaults(parser=parser)
    _add_verbosity(commands)
    return parser


def _add_verbosity(commands: "argparse._SubParsersAction[_Parser]") -> None:
    """Two options of every command, and of what is below `push`."""
    for command in commands.choices.values():
        for action in command._actions:
            if isinstance(action, argparse._SubParsersAction):
                _add_verbosity(action)
                break
        else:
            loudness = command.add_mutually_exclusive_group()
            loudness.add_argument("--quiet", action="store_true", help="only results, warnings and failures")
            loudness.add_argument("--verbose", action="store_true", help="details, and where an error was raised")


def _add_embed(commands: "argparse._SubParsersAction[_Parser]") -> None:
    embed = commands.add_parser("embed", help="write a model's gene vectors to a file")
    embed.add_argument("model", metavar="MODEL")
    embed.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.parquet")
    _add_audit(embed)
    embed.add_argument("--genes", default="genes", metavar="TABLE", help="gene table to embed (default: genes)")
    _add_data_dir(embed)
    _add_compute(embed)


def _add_run(commands: "argparse._SubParsersAction[_Parser]") -> None:
    run = commands.add_parser("run", help="score models on tasks")
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
    _add_data_dir(run)
    _add_compute(run)
    run.add_argument(
        "--memory",
        type=_bytes,
        metavar="N",
        help="bytes the probe may take above the vectors, or 500M, 4G (default: half of what is free)",
    )
    run.add_argument("--seed", type=_natural, default=0, metavar="N", help="seed of the probe (default: 0)")
    run.add_argument(
        "--split",
        action="append",
        metavar="S",
        help="random (default; published where the task has parts), family, chromosome; gene_disjoint, family_disjoint"
        " of pairs; disease_disjoint; repeat for more",
    )
    run.add_argument(
        "--repeats", type=_positive, default=1, metavar="R", help="cross-validations on other folds each (default: 1)"
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
        help="fit on K examples of each class, drawn 20 times (of sequences 5 times, as GENEB does); or all",
    )
    run.add_argument(
        "--controls",
        action="store_true",
        help="score controls too: shuffled:MODEL, lookup:family and pair, nuisance:publications and all",
    )
    run.add_argument(
        "--gain",
        nargs="?",
        const="nuisance:all",
        metavar="NUISANCE",
        help="what vectors add to covariates, nuisance:all or another (put it behind the MODELs)",
    )
    run.add_argument("--control", metavar="C", help="permuted: the same fits on permuted labels, p and selectivity")
    run.add_argument(
        "--permutations", type=_positive, metavar="P", help="how many (default: 20, the fewest for p below 0.05)"
    )
    run.add_argument(
        "--curve", action="store_true", help="fit on 1/16 to 1/2 of the training entities too: a learning curve"
    )
    run.add_argument("--protocol", metavar="P", help="paper (default), or geneb (default of sequences); scaled of both")
    run.add_argument("--engine", metavar="E", help="fast (default) or sklearn, the readable reference")
    run.add_argument(
        "--missing",
        choices=("drop", "error"),
        default="drop",
        help="entities without a vector: drop (default) leaves them out, error fails the task",
    )
    run.add_argument(
        "--pairs", choices=("average", "concat"), default="average", help="vector of a pair: average (default)"
    )
    run.add_argument("--diseases", metavar="MODEL", help="text model for the diseases of tasks that have them")
    run.add_argument("--terms", metavar="MODEL", help="text model for the terms of a graph of the Gene Ontology")
    run.add_argument(
        "--common-genes", action="store_true", help="score only the genes that all of the models have; kept apart"
    )
    run.add_argument(
        "--dedupe", action="store_true", help="score without test sequences that are in the training part too"
    )
    run.add_argument(
        "--name", action="append", metavar="NAME", help="name of a model in the results; one for each MODEL"
    )
    run.add_argument(
        "--predictions",
        action=argparse.BooleanOptionalAction,
        help="keep what was predicted beside each result (default; with it, results without are made again)",
    )
    run.add_argument("--overwrite", action="store_true", help="run again what DIR already holds")


def _add_check(commands: "argparse._SubParsersAction[_Parser]") -> None:
    check = commands.add_parser("check", help="does my model fit? 20 genes, no download")
    check.add_argument("model", metavar="MODEL")
    check.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: the best there is)")
    _add_data_dir(check)
    _add_audit(check)


def _add_graph_study(commands: "argparse._SubParsersAction[_Parser]") -> None:
    study = commands.add_parser("graph-study", help="what do graphs add to a model's vectors?")
    study.add_argument("model", metavar="MODEL")
    study.add_argument("--graph", default="string,go,string+go", metavar="G,...", help="default: string,go,string+go")
    study.add_argument("-t", "--task", action="append", dest="tasks", default=[], metavar="GLOB", required=True)
    study.add_argument(
        "-o", "--output", type=Path, default=Path("graph-study"), metavar="DIR", help="default: graph-study"
    )
    study.add_argument("--split", nargs="+", default=["random", "family"], metavar="S", help="default: random family")
    study.add_argument("--arms", metavar="A,...", help="only these of the arms, such as propagated,gcn (default: all)")
    study.add_argument(
        "--head-options", default="", metavar="O", help="of gcn and gat, such as lr=0.01,patience=20; see docs/genen.md"
    )
    study.add_argument(
        "--mask", metavar="SHARE,...", help="also hide vectors of these shares, such as 0,0.25,0.5,0.75,0.9"
    )
    study.add_argument(
        "--mask-seeds", type=_positive, default=5, metavar="N", help="draws of hidden genes (default: 5)"
    )
    study.add_argument(
        "--leaks", action="store_true", help="list terms that state the label; score graphs without them too"
    )
    study.add_argument("--strata", action="store_true", help="also score quarters of genes by publications")
    study.add_argument("--terms", metavar="MODEL", help="text model for the terms of the Gene Ontology")
    study.add_argument("--seed", type=int, default=0, metavar="N", help="of networks (default: 0)")
    study.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: the best there is)")
    _add_data_dir(study)


def _add_audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--audit", type=Path, metavar="FILE", help="write what became of each identifier of the vectors (csv or tsv)"
    )


def _add_why(commands: "argparse._SubParsersAction[_Parser]") -> None:
    why = commands.add_parser("why", help="why is this gene missing, or labelled as it is?")
    why.add_argument("gene", metavar="GENE", help="a symbol or any other identifier, as you have it")
    why.add_argument("models", nargs="*", metavar="MODEL", help="which of these models have a vector of it")
    why.add_argument("-t", "--tasks", action="append", default=[], metavar="TASK", help="task or glob; default: all")
    _add_data_dir(why)


def _add_power(commands: "argparse._SubParsersAction[_Parser]") -> None:
    power = commands.add_parser("power", help="what difference between models can a task show? from its class sizes")
    power.add_argument("-t", "--tasks", action="append", default=[], metavar="GLOB", help="task, glob or @suite")
    _add_format(power)
    _add_data_dir(power)


def _add_bias(commands: "argparse._SubParsersAction[_Parser]") -> None:
    bias = commands.add_parser("bias", help="does the score depend on how much is published on a gene?")
    bias.add_argument("results", type=Path, metavar="DIR")
    bias.add_argument("--plot", type=Path, metavar="FILE", help="also draw it, as .png or .svg")
    _add_format(bias)
    _add_data_dir(bias)


def _add_leaks(commands: "argparse._SubParsersAction[_Parser]") -> None:
    leaks = commands.add_parser("leaks", help="do texts state labels, are vectors made of them, do tasks repeat?")
    leaks.add_argument("results", nargs="?", type=Path, metavar="DIR", help="results whose models are looked at too")
    leaks.add_argument("-t", "--tasks", action="append", default=[], metavar="GLOB", help="task, glob or @suite")
    leaks.add_argument("--input", default="description", metavar="COLUMN", help="what is read (default: description)")
    _add_format(leaks)
    _add_data_dir(leaks)


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "csv", "json"), default="text", help="default: text")


def _add_report(commands: "argparse._SubParsersAction[_Parser]") -> None:
    report = commands.add_parser("report", help="tables, pictures or a page of a results folder")
    report.add_argument("results", type=Path, metavar="DIR")
    formats = ("md", "csv", "json", "html", "geneb")
    report.add_argument(
        "--format",
        choices=formats,
        default="md",
        help="default: md; html is a page to click through; geneb ranks models of DNA by category and regime (a page"
        " if FILE ends in .html)",
    )
    report.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: stdout")
    report.add_argument(
        "--as-published", action="store_true", help="scores as the paper's code computes them, beside ours"
    )
    report.add_argument("--plots", type=Path, metavar="OUTDIR", help="also draw pictures, as PNG and SVG")
    report.add_argument("--pair", nargs=2, metavar="MODEL", help="the two drawn fold by fold (default: the best)")

    compare = commands.add_parser("compare", help="is one model better than another? paired statistics")
    compare.add_argument("results", type=Path, metavar="DIR")
    compare.add_argument("model_a", metavar="MODEL_A", help="model id, or its last part")
    compare.add_argument("model_b", metavar="MODEL_B")
    _add_where(compare)


def _add_card(commands: "argparse._SubParsersAction[_Parser]") -> None:
    card = commands.add_parser("card", help="put a model's results into its model card")
    card.add_argument("results", type=Path, metavar="DIR")
    card.add_argument("model", metavar="MODEL", help="model id, as in the results")
    card.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the card, made or extended; README.md, say"
    )
    _add_dataset(card)
    card.add_argument("--plot", metavar="LINK", help="picture to show, relative to the card")
    _add_where(card)


def _add_geneb(commands: "argparse._SubParsersAction[_Parser]") -> None:
    imported = commands.add_parser(
        "import-geneb", help="put published scores into a results folder, marked as imported"
    )
    imported.add_argument("results", type=Path, metavar="DIR")
    imported.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="submission (.json), or csv: model,task,regime,metric,value"
    )
    export = commands.add_parser("export-geneb", help="write a model's results as GENEB's submission")
    export.add_argument("results", type=Path, metavar="DIR")
    export.add_argument("model", metavar="MODEL", help="model id, as in the results")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: DIR/MODEL.json")
    export.add_argument("--params", type=_natural, metavar="N", help="parameters of the model")
    export.add_argument("--zero-shot", action=argparse.BooleanOptionalAction, help="no task's data was in its training")
    for name, about in (
        ("display", "name that is shown"),
        ("url", "where the model is"),
        ("training-data", "what it was trained on"),
        ("provenance", "default: self-reported"),
        ("submitted-by", "who you are"),
    ):
        export.add_argument(f"--{name}", metavar="TEXT", help=about)


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        type=_axis,
        metavar="AXIS=VALUE",
        help="settings to take where DIR has several, such as head=mlp or entities=all",
    )


def _add_verify(commands: "argparse._SubParsersAction[_Parser]") -> None:
    verify = commands.add_parser("verify", help="run saved results again and compare")
    verify.add_argument("paths", nargs="+", type=Path, metavar="RESULT.json")
    verify.add_argument(
        "--model",
        metavar="MODEL",
        help="model to run again where the result does not lead to it: a file of vectors or file.py:Class",
    )
    _add_data_dir(verify)
    verify.add_argument("--device", metavar="D", help="cuda, mps or cpu (default: the best there is)")


def _add_push(commands: "argparse._SubParsersAction[_Parser]") -> None:
    push = commands.add_parser("push", help="publish on the Hugging Face Hub; shows its plan first")
    kinds = push.add_subparsers(dest="what", required=True, metavar="WHAT", parser_class=_Parser)
    data = kinds.add_parser("data", help="the tasks, as a dataset repository")
    metric = kinds.add_parser("metric", help="gene_probe or gene_probe_compare, as a Space of that name")
    results = kinds.add_parser("results", help="result files and card, to a dataset or model repository")
    leaderboard = kinds.add_parser("leaderboard", help="the page, as a static Space")
    for kind in (data, metric, results, leaderboard):
        kind.add_argument("repo_id", metavar="REPO_ID", help="owner/name")
        kind.add_argument("--yes", action="store_true", help="push; without it only the plan is shown")
    data.add_argument("patterns", nargs="*", metavar="GLOB", help="tasks or tables; default: all")
    _add_data_dir(data)
    for kind in (results, leaderboard):
        kind.add_argument(
            "--from", dest="results", type=Path, default=Path("results"), metavar="DIR", help="default: results"
        )
    results.add_argument("--create-pr", action="store_true", help="REPO_ID is a model: open a pull request")
    results.add_argument("--model", metavar="MODEL", help="whose results go into the pull request (default: REPO_ID)")
    _add_dataset(results)
    leaderboard.add_argument("--page", type=Path, metavar="FILE", help="push this page (default: made from DIR)")


def _add_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dataset",
        default="gene-bench/gene-bench",
        metavar="REPO_ID[@REVISION]",
        help="benchmark that scores refer to (default: gene-bench/gene-bench)",
    )


def _add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="raw files, DIR/<source>/<file>; default: download"
    )


def _add_compute(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        metavar="D",
        help="cuda, mps or cpu, or several: cuda:0,cuda:1 (default: every GPU, or the best)",
    )
    parser.add_argument("--batch-size", type=_positive, metavar="N", help="genes at a time (default: the model's own)")


def _axis(text: str) -> tuple[str, str]:
    axis, sign, value = text.partition("=")
    if not (axis and sign and value):
        message = f"'{text}' is not AXIS=VALUE, such as head=mlp"
        raise argparse.ArgumentTypeError(message)
    return axis, value


def _natural(text: str) -> int:
    if not text.isdecimal():
        message = f"'{text}' is not a whole number, 0 or above"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        message = f"'{text}' is not a whole number, 1 or above"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _shots(text: str) -> int | None:
    return None if text in ("all", "full") else _positive(text)


def _bytes(text: str) -> float:
    units = {"K": 1e3, "M": 1e6, "G": 1e9}
    unit = units.get(text[-1:].upper(), 1.0)
    number = text[:-1] if unit > 1 else text
    if not number.replace(".", "", 1).isdecimal() or float(number) == 0:
        message = f"'{text}' is not an amount of memory; expected bytes, or a number with K, M or G, such as 4G"
        raise argparse.ArgumentTypeError(message)
    return float(number) * unit
