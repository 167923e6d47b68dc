"""What each kind of push puts into its repository."""

import re
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from string import Template

from gene_eval import __version__
from gene_eval.analysis import tables
from gene_eval.catalogue.suites import averaged
from gene_eval.publishing.card_merge import merge_section
from gene_eval.publishing.cards import EVAL_RESULTS, Benchmark, make_card
from gene_eval.publishing.export import Collection, export
from gene_eval.reporting import text as reports
from gene_eval.results.paths import path_of, slug
from gene_eval.results.records import TaskResult
from gene_eval.results.store import Folder
from push_scripts.errors import PushError
from push_scripts.plan import Content, Merge

__all__ = ["data", "leaderboard", "metric", "model_results", "results_dataset", "which_model"]

CARD = "README.md"
TABLE = "report.csv"
PARQUET = re.compile(r"[^/]+/train-\d{5}-of-\d{5}\.parquet")
MODULES = {"gene_probe": "metrics/gene_probe", "gene_probe_compare": "comparisons/gene_probe_compare"}
MODULE_FILES = (CARD, "app.py", "requirements.txt")


def data(repo_id: str, collection: Collection, folder: Path) -> Content:
    """The benchmark: parquet per config, card, and `eval.yaml`; configs that are no longer there go.

    Args:
        repo_id: What the card tells readers to load.
        collection: Tasks and tables.
        folder: Where to write the files before they are sent.

    Raises:
        PushError: There is nothing that may be published.
    """
    if not collection.items:
        names = [item.config.name for item in collection.left_out]
        names += [name for failed in collection.failed.values() for name in failed]
        message = f"nothing to push: {', '.join(names)} may not be redistributed or cannot be built"
        raise PushError(message + "".join(f"; {reason}" for reason in list(collection.failed)[:1]))
    made = export(collection.items, folder, left_out=collection.left_out, repo_id=repo_id)
    notes = [
        f"left out, since a source does not state that rows may be redistributed: {item.config.name}"
        for item in collection.left_out
    ]
    notes += [f"not built: {', '.join(names)}: {reason}" for reason, names in collection.failed.items()]
    return Content(
        repo_type="dataset",
        title=f"gene-bench {__version__}: {len(collection.items)} configs",
        files={path.relative_to(made).as_posix(): path for path in sorted(made.rglob("*")) if path.is_file()},
        owns=lambda path: PARQUET.fullmatch(path) is not None,
        notes=notes,
    )


def metric(repo_id: str) -> Content:
    """The Space of the metric, or of the comparison if the repository has its name."""
    owner, _, asked = repo_id.partition("/")
    name = asked if asked in MODULES else "gene_probe"
    folder = files("gene_eval").joinpath(MODULES[name])
    contents = {path: folder.joinpath(path).read_bytes() for path in (f"{name}.py", *MODULE_FILES)}
    # evaluate loads a module of the repository's name.
    notes = [] if asked == name else [f"note: evaluate.load finds {name} only in a Space named {owner}/{name}"]
    return Content("space", f"{name} of gene-bench {__version__}", contents, space_sdk="gradio", notes=notes)


def results_dataset(found: Folder) -> Content:
    """Result files of all models, and a card with their report.

    Raises:
        ReportError: There are no results.
    """
    report = tables.build(found.results, problems=found.problems, predictions=found.predictions, suites=averaged())
    contents: dict[str, bytes | Path | Merge] = {
        path_of(each, "results").as_posix(): _public(each) for each in found.results
    }
    models = len({each.model.id for each in found.results})
    contents[TABLE] = reports.to_csv(report).encode()
    section = reports.to_markdown(report)
    contents[CARD] = lambda there: merge_section(_template("results_card.md") if there is None else there, section)
    return Content("dataset", f"gene-bench results of {models} models", contents, notes=_problems(found))


def model_results(found: Folder, model: str, dataset: Benchmark) -> Content:
    """Result files of one model, the section in its card and the file that benchmarks read.

    Args:
        found: Results of this and other models.
        model: Model id.
        dataset: What the scores refer to on the Hub.

    Raises:
        CardError: There are no results of the model, or they are not of one kind.
    """
    card = make_card(found.results, model, dataset=dataset, suites=averaged())
    own = [each for each in found.results if each.model.id == model]
    contents: dict[str, bytes | Path | Merge] = {
        f"gene-bench/{path_of(each, '').relative_to(slug(model)).as_posix()}": _public(each) for each in own
    }
    contents[CARD] = card.merged
    if card.eval_results:
        contents[EVAL_RESULTS] = card.eval_results.encode()
    return Content("model", f"gene-bench results of {model}", contents, notes=_problems(found))


def which_model(found: Sequence[TaskResult], repo_id: str, asked: str | None) -> str:
    """Id of the model whose results go to a model repository.

    Args:
        found: Results at hand.
        repo_id: The repository; a model of this id is taken.
        asked: What the user named, taken as it is.

    Raises:
        PushError: It is not clear which one is meant.
    """
    known = sorted({each.model.id for each in found})
    if asked is not None or repo_id in known:
        return asked or repo_id
    message = f"there are no results of {repo_id}; name the model with --model, one of {', '.join(known) or 'none'}"
    raise PushError(message)


def leaderboard(page: bytes) -> Content:
    """A static Space of one page."""
    card = Template(_template("leaderboard_card.md")).substitute(version=__version__)
    return Content("space", "gene-bench leaderboard", {CARD: card.encode(), "index.html": page}, space_sdk="static")


def _public(result: TaskResult) -> bytes:
    """A result file without its predictions, which hold labels that a source may not let us publish."""
    return replace(result, predictions=None).to_json().encode()


def _problems(found: Folder) -> list[str]:
    return [f"not pushed: {problem}" for problem in found.problems]


def _template(name: str) -> str:
    return files("push_scripts").joinpath("templates", name).read_text(encoding="utf-8")
