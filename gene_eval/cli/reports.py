"""`gene-bench report`, `compare` and `card`: what is made of a results folder."""

import argparse
from collections.abc import Sequence

import gene_eval
from gene_eval.analysis.compare import find_model
from gene_eval.catalogue.suites import averaged
from gene_eval.cli.output import DONE, SOME_FAILED
from gene_eval.files import atomic_write, check_writable
from gene_eval.publishing.cards import benchmark, make_card, write_card
from gene_eval.reporting import text
from gene_eval.reporting.plots import save as plots
from gene_eval.text import say

__all__ = ["card", "compare", "report"]


def report(arguments: argparse.Namespace) -> int:
    """Make a table or page, and pictures, of the results in a folder."""
    if arguments.output is not None:
        check_writable(arguments.output)
    found = gene_eval.load_results(arguments.results)
    made = found.report
    pair = arguments.pair and _pair(arguments.pair, found.models)
    render = text.to_published if arguments.as_published else text.RENDERERS[arguments.format]
    content = render(made)
    _warn(found.warnings)
    if arguments.plots is not None:
        paths = plots.save(made, arguments.plots, pair=pair)
        say(f"wrote to {arguments.plots}: {', '.join(path.relative_to(arguments.plots).as_posix() for path in paths)}")
    if arguments.output is None:
        print(content, end="")
    else:
        atomic_write(arguments.output, content)
        say(f"wrote {arguments.output}")
    return SOME_FAILED if found.problems else DONE


def _pair(names: Sequence[str], known: Sequence[str]) -> tuple[str, str]:
    first, second = (find_model(name, sorted(known)) for name in names)
    return first, second


def compare(arguments: argparse.Namespace) -> int:
    """Compare two models of a results folder."""
    found = gene_eval.load_results(arguments.results)
    _warn(found.problems)
    comparison = found.compare(arguments.model_a, arguments.model_b, where=dict(arguments.where))
    _warn(comparison.warnings)
    print(comparison)
    return SOME_FAILED if found.problems else DONE


def card(arguments: argparse.Namespace) -> int:
    """Write a model's results into its card, and into the file that benchmarks on the Hub read."""
    check_writable(arguments.output)
    found = gene_eval.load_results(arguments.results)
    made = make_card(
        found.results,
        arguments.model,
        dataset=benchmark(arguments.dataset),
        plot=arguments.plot,
        where=dict(arguments.where),
        suites=averaged(),
    )
    for path in write_card(made, arguments.output):
        say(f"wrote {path}")
    _warn(found.problems)
    return SOME_FAILED if found.problems else DONE


def _warn(lines: Sequence[str]) -> None:
    for line in lines:
        say(f"warning: {line}")
