"""`gene-bench report --format geneb`, `import-geneb` and `export-geneb`: GENEB's rankings and its forms."""

import argparse
from collections.abc import Iterable
from pathlib import Path

import gene_eval
from builders.sources.geneb.repeats import repeated_tasks
from gene_eval.analysis.compare import find_model
from gene_eval.analysis.geneb.board import Board, boards
from gene_eval.cli.output import DONE, SOME_FAILED
from gene_eval.errors import ReportError
from gene_eval.files import atomic_write, check_writable
from gene_eval.publishing.geneb.importing import category_sizes, read_scores
from gene_eval.publishing.geneb.published_models import parameters_of
from gene_eval.publishing.geneb.submission import file_name, make_submission
from gene_eval.results import store
from gene_eval.results.records import PARTED, TaskResult
from gene_eval.results.replacing import refuse_other_vectors
from gene_eval.text import say, some

__all__ = ["boards_of", "export_geneb", "import_geneb"]


def boards_of(results: Iterable[TaskResult]) -> list[Board]:
    """The boards of a results folder.

    Raises:
        ReportError: None of its results is on a task about sequences.
    """
    found = list(results)
    models = {result.model.id for result in found}
    parameters = {model: number for model in models if (number := parameters_of(model)) is not None}
    made = boards(found, sizes=category_sizes(), same=repeated_tasks(), parameters=parameters)
    if not made:
        if any(result.task.entity in PARTED for result in found):
            msg = "no task about sequences on which all models have a score by all rows; make some with: --shots all"
        else:
            msg = "no results of tasks about sequences; make some with:"
            msg += " gene-bench run kmer:k=4 -t @geneb --shots all 10 1"
        raise ReportError(msg)
    return made


def import_geneb(arguments: argparse.Namespace) -> int:
    """Write published scores as results, marked as imported."""
    found = {path: read_scores(path) for path in arguments.files}
    for path, results in found.items():
        for model in {result.model.id: result.model for result in results}.values():
            refuse_other_vectors(model, arguments.results)
        for result in results:
            store.save(result, arguments.results)
        models = sorted({result.model.id for result in results})
        say(f"{path}: {len(results):,} scores of {some(models)} written to {arguments.results}, marked as imported")
    say(f"next: gene-bench report {arguments.results} --format geneb")
    return DONE


def export_geneb(arguments: argparse.Namespace) -> int:
    """Write the results of a model as GENEB's submission."""
    found = gene_eval.load_results(arguments.results)
    model = find_model(arguments.model, sorted(found.models))
    names = ("display", "params", "url", "zero_shot", "training_data", "provenance", "submitted_by")
    meta = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    made = make_submission(found.results, model, **meta)
    path: Path = arguments.output or arguments.results / file_name(model)
    check_writable(path)
    atomic_write(path, made.to_json())
    say(f"wrote {path}: {made.n_scores} scores")
    if made.missing:
        say(f"warning: GENEB takes whole submissions, and {len(made.missing)} are missing: {some(list(made.missing))}")
    for line in found.problems:
        say(f"warning: {line}")
    return SOME_FAILED if made.missing or found.problems else DONE
