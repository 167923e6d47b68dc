"""`gene-bench report`, `compare` and `card`: what is made of a results folder."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import gene_eval
from gene_eval.analysis.compare import find_model
from gene_eval.catalogue.suites import averaged
from gene_eval.cli.geneb import boards_of
from gene_eval.cli.output import DONE, SOME_FAILED
from gene_eval.files import atomic_write, check_writable
from gene_eval.publishing.cards import benchmark, make_card, write_card
from gene_eval.reporting import text
from gene_eval.reporting.geneb import to_geneb
from gene_eval.reporting.geneb_page import to_page
from gene_eval.reporting.plots import save as plots
from gene_eval.text import say

__all__ = ["card", "compare", "report"]


def report(arguments: argparse.Namespace) -> int:
    """Make a table or page, and pictures, of the results in a folder."""
    if arguments.output is not None:
        check_writable(arguments.output)
    found = gene_eval.load_results(arguments.results)
    if arguments.format == "geneb":
        return _geneb(arguments, found)
    made = found.report
    pair = arguments.pair and _pair(arguments.pair, found.models)
    render = text.to_published if arguments.as_published else text.RENDERERS[arguments.format]
    content = render(made)
    _warn(found.warnings)
    if arguments.plots is not None:
        _tell(plots.save(made, arguments.plots, pair=pair), arguments.plots)
    _write(content, arguments.output)
    return SOME_FAILED if found.problems else DONE


def _geneb(arguments: argparse.Namespace, found: "gene_eval.Results") -> int:
    """Rankings of models of DNA."""
    made = boards_of(found.results)
    is_page = arguments.output is not None and arguments.output.suffix == ".html"
    content = to_page(made) if is_page else to_geneb(made)
    _warn(found.problems)
    if arguments.plots is not None:
        # Late: matplotlib takes half a second to load.
        from gene_eval.reporting.plots.geneb import save_geneb

        _tell(save_geneb(made, arguments.plots), arguments.plots)
    _write(content, arguments.output)
    return SOME_FAILED if found.problems else DONE


def _tell(paths: Sequence[Path], folder: Path) -> None:
    say(f"wrote to {folder}: {', '.join(path.relative_to(folder).as_posix() for path in paths)}")


def _write(content: str, output: Path | None) -> None:
    if output is None:
        print(content, end="")
    else:
        atomic_write(output, content)
        say(f"wrote {output}")


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
