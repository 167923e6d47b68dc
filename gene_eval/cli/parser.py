"""The command line: reads arguments, calls the package, and turns every user error into one line.

stdout is data, stderr is progress and messages. Exit status: 0 all done, 1 some tasks failed (the others are saved),
2 wrong usage.
"""

import argparse
import io
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from gene_eval import __version__
from gene_eval.cli.arguments import add_check, add_data_dir, add_embed, add_graph_study, add_run, axis, natural
from gene_eval.cli.output import DONE, SOME_FAILED, WRONG_USAGE
from gene_eval.text import set_quiet

__all__ = ["main", "make_parser"]

MODULES = {
    **dict.fromkeys(("tasks", "models", "suites"), "listing"),
    **dict.fromkeys(("build", "register"), "building"),
    **dict.fromkeys(("embed", "check"), "vectors"),
    **dict.fromkeys(("run", "verify"), "scoring"),
    **dict.fromkeys(("report", "compare", "card"), "reports"),
    **dict.fromkeys(("import-geneb", "export-geneb"), "geneb"),
    "graph-study": "studying",
    "why": "explaining",
    **dict.fromkeys(("plan", "power"), "planning"),
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
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name may hold what the terminal cannot show, or no encoding at all.
        sys.stdout.reconfigure(errors="backslashreplace")
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
        # The reader (`head`, say) has seen enough; Python would complain again on closing stdout.
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
    """Read the arguments; a MODEL may also follow options, where argparse accepts no more items of a list."""
    parser = make_parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and (not hasattr(arguments, "models") or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        arguments.models = [*arguments.models, *rest]
    return arguments


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the site's reference is made from it."""
    parser = _Parser(prog="gene-bench", description="Measures what models' gene vectors know about genes.")
    parser.add_argument("--version", action="version", version=f"gene-bench {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    tasks = commands.add_parser("tasks", help="list the tasks")
    tasks.add_argument("patterns", nargs="*", metavar="GLOB", help="names, globs such as 'reactome_*', or @suites")
    tasks.add_argument("--json", action="store_true", help="everything about each task, as JSON")
    for name in ("target", "family", "entity", "source"):
        tasks.add_argument(f"--{name}", metavar="NAME", help=f"only tasks of this {name}")
    tasks.add_argument("--built", action="store_true", help="only tasks that load without raw files")
    add_data_dir(tasks)

    suites = commands.add_parser("suites", help="list the suites: named, versioned lists of tasks")
    suites.add_argument("--json", action="store_true", help="with their tasks, as JSON")

    models = commands.add_parser("models", help="list the model adapters")
    models.add_argument("--json", action="store_true", help="as JSON")

    build = commands.add_parser("build", help="build datasets, and make the metric loadable by name")
    build.add_argument("patterns", nargs="*", metavar="GLOB", help="tasks, tables or @suites; default: all")
    add_data_dir(build)
    build.add_argument("--export", type=Path, metavar="DIR", help="also write DIR/gene-bench, a Hub dataset repository")

    commands.add_parser("register", help="make evaluate.load('gene_probe') work by name")
    add_embed(commands)
    add_run(commands)
    add_check(commands)
    add_graph_study(commands)
    _add_why(commands)
    _add_power(commands)
    _add_bias(commands)
    _add_leaks(commands)
    _add_report(commands)
    _add_card(commands)
    _add_geneb(commands)
    _add_verify(commands)
    _add_push(commands)
    doctor = commands.add_parser("doctor", help="versions, devices, caches, data: what is found, and what to fix")
    add_data_dir(doctor)
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


def _add_why(commands: "argparse._SubParsersAction[_Parser]") -> None:
    why = commands.add_parser("why", help="why is this gene missing, or labelled as it is?")
    why.add_argument("gene", metavar="GENE", help="a symbol or any other identifier, as you have it")
    why.add_argument("models", nargs="*", metavar="MODEL", help="which of these models have a vector of it")
    why.add_argument("-t", "--tasks", action="append", default=[], metavar="TASK", help="task or glob; default: all")
    add_data_dir(why)


def _add_power(commands: "argparse._SubParsersAction[_Parser]") -> None:
    power = commands.add_parser("power", help="what difference between models can a task show, by its class sizes?")
    power.add_argument("-t", "--tasks", action="append", default=[], metavar="GLOB", help="task, glob or @suite")
    _add_format(power)
    add_data_dir(power)


def _add_bias(commands: "argparse._SubParsersAction[_Parser]") -> None:
    bias = commands.add_parser("bias", help="does the score depend on how much is published on a gene?")
    bias.add_argument("results", type=Path, metavar="DIR")
    bias.add_argument("--plot", type=Path, metavar="FILE", help="also draw it, as .png or .svg")
    _add_format(bias)
    add_data_dir(bias)


def _add_leaks(commands: "argparse._SubParsersAction[_Parser]") -> None:
    leaks = commands.add_parser("leaks", help="do texts state labels, are vectors made of them, do tasks repeat?")
    leaks.add_argument("results", nargs="?", type=Path, metavar="DIR", help="results whose models are looked at too")
    leaks.add_argument("-t", "--tasks", action="append", default=[], metavar="GLOB", help="task, glob or @suite")
    leaks.add_argument("--input", default="description", metavar="COLUMN", help="what is read (default: description)")
    _add_format(leaks)
    add_data_dir(leaks)


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
    report.add_argument("--pair", nargs=2, metavar="MODEL", help="the two to draw fold by fold (default: the best)")

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
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the card to make or extend, such as README.md"
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
    export.add_argument("--params", type=natural, metavar="N", help="parameters of the model")
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
        type=axis,
        metavar="AXIS=VALUE",
        help="settings to use where DIR has several, such as head=mlp or entities=all",
    )


def _add_verify(commands: "argparse._SubParsersAction[_Parser]") -> None:
    verify = commands.add_parser("verify", help="run saved results again and compare")
    verify.add_argument("paths", nargs="+", type=Path, metavar="RESULT.json")
    verify.add_argument(
        "--model",
        metavar="MODEL",
        help="model to run again where the result does not lead to it: a file of vectors or file.py:Class",
    )
    add_data_dir(verify)
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
    add_data_dir(data)
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
