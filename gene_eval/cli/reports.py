"""`gene-bench report`, `compare` and `card`: what is made from a results folder."""

import argparse
import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gene_eval
from gene_eval.analysis.compare import find_model
from gene_eval.analysis.tables import Report
from gene_eval.catalogue.suites import averaged
from gene_eval.cli.geneb import boards_of
from gene_eval.cli.output import DONE, SOME_FAILED
from gene_eval.errors import ReportError
from gene_eval.files import atomic_path, atomic_write, check_writable
from gene_eval.publishing.cards import benchmark, make_card, write_card
from gene_eval.reporting import text
from gene_eval.reporting.geneb import to_geneb
from gene_eval.reporting.geneb_page import to_page
from gene_eval.reporting.page.render import is_large, render_parts
from gene_eval.reporting.plots import save as plots
from gene_eval.text import say

__all__ = ["card", "compare", "report"]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Millions of records live until the end: collecting garbage among them takes an eighth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_uncollected()
def report(arguments: argparse.Namespace) -> int:
    """Make a table or page, and pictures, of the results in a folder."""
    if arguments.output is not None:
        check_writable(arguments.output)
    found = gene_eval.load_results(arguments.results)
    if arguments.format == "geneb":
        return _geneb(arguments, found)
    made = found.report
    pair = arguments.pair and _pair(arguments.pair, found.models)
    content = text.to_published(made) if arguments.as_published else _rendered(made, arguments)
    _warn(made.warnings)
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


def _rendered(made: Report, arguments: argparse.Namespace) -> str | Iterator[str]:
    """The report as one text, or in pieces."""
    if arguments.format == "html" and is_large(made):
        if arguments.output is None:
            count = sum(len(table.results) for table in made.tables)
            msg = f"the page of {count:,} results is in parts, a folder beside it: say where, with -o FILE"
            raise ReportError(msg)
        return _in_parts(made, arguments.output)
    if arguments.format in text.PIECES:
        return text.PIECES[arguments.format](made)
    return text.RENDERERS[arguments.format](made)


def _in_parts(made: Report, page: Path) -> Iterator[str]:
    """Write the parts of a page beside it, and return the page, which is written after them."""
    folder = page.with_name(f"{page.stem}_parts")
    for name, content in render_parts(made, folder.name):
        if name:
            atomic_write(folder / name, content)
        else:
            yield content


def _tell(paths: Sequence[Path], folder: Path) -> None:
    say(f"wrote to {folder}: {', '.join(path.relative_to(folder).as_posix() for path in paths)}")


def _write(content: str | Iterator[str], output: Path | None) -> None:
    pieces = [content] if isinstance(content, str) else content
    if output is None:
        for piece in pieces:
            print(piece, end="")
        return
    with atomic_path(output) as part, part.open("w", encoding="utf-8", newline="") as file:
        file.writelines(pieces)
    say(f"wrote {output}")


def _pair(names: Sequence[str], known: Sequence[str]) -> tuple[str, str]:
    first, second = (find_model(name, sorted(known)) for name in names)
    return first, second


@_uncollected()
def compare(arguments: argparse.Namespace) -> int:
    """Compare two models of a results folder."""
    found = gene_eval.load_results(arguments.results)
    _warn(found.problems)
    comparison = found.compare(arguments.model_a, arguments.model_b, where=dict(arguments.where))
    _warn(comparison.warnings)
    print(comparison)
    return SOME_FAILED if found.problems else DONE


@_uncollected()
def card(arguments: argparse.Namespace) -> int:
    """Write a model's results into its card and into the file that benchmarks on the Hub read."""
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
