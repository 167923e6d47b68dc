"""A model's results for its card: a Markdown section, `model-index` metadata and the Hub's `.eval_results` file."""

import re
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import yaml
from huggingface_hub import EvalResult, EvalResultEntry, eval_result_entries_to_yaml
from huggingface_hub.repocard_data import eval_results_to_model_index

from gene_eval import __version__
from gene_eval.analysis import tables
from gene_eval.analysis.groups import Suites, group_metric
from gene_eval.analysis.selection import choose_settings
from gene_eval.errors import CardError
from gene_eval.files import atomic_path
from gene_eval.publishing.card_checks import check_accepted
from gene_eval.publishing.card_merge import SOURCE, merge_card
from gene_eval.publishing.export import are_open
from gene_eval.results.records import TaskResult, defined
from gene_eval.results.reproduce import OTHERS, is_common, model_string, run_options
from gene_eval.text import code, did_you_mean, markdown, printable

__all__ = [
    "BENCHMARK_ID",
    "EVAL_RESULTS",
    "Benchmark",
    "ResultCard",
    "benchmark",
    "make_card",
    "write_card",
]

BENCHMARK_ID = "gene-bench/gene-bench"
EVAL_RESULTS = ".eval_results/gene-bench.yaml"
HOMEPAGE = "https://github.com/gene-bench/gene-bench"
SPLIT = "train"
CONTROL = (
    "Control: vectors of nothing, of relatives or of fame; what a model knows is what it has beyond the best of them."
)
NOTHING = "–"
LINE = 110
CONTROLS = (
    "Control: what a score is without the model. In brackets: (score - best control) / (1 - best control), the share of"
    " what the best control leaves."
)


@dataclass(frozen=True)
class Benchmark:
    """The dataset repository that scores refer to, and the commit of it that was used, if known."""

    id: str = BENCHMARK_ID
    revision: str | None = None


def benchmark(text: str) -> Benchmark:
    """Read `owner/name` or `owner/name@revision`.

    Raises:
        CardError: It is something else.

    >>> benchmark("gene-bench/gene-bench@main")
    Benchmark(id='gene-bench/gene-bench', revision='main')
    """
    name, _, revision = text.partition("@")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        message = f"--dataset {text!r}: expected owner/name or owner/name@revision"
        raise CardError(message)
    return Benchmark(name, revision or None)


@dataclass(frozen=True)
class ResultCard:
    """What a model's card says about its results.

    Args:
        model: Model id.
        section: Markdown, from its heading on.
        index: Entries of `model-index`, below `results`.
        eval_results: Text of `.eval_results/gene-bench.yaml`, empty if there is nothing to put into it.
    """

    model: str
    section: str
    index: list[dict[str, Any]]
    eval_results: str

    def merged(self, existing: str | None) -> str:
        """The card's text with these results in it; every line of `existing` that is not ours stays.

        Raises:
            CardError: The card's metadata is not valid YAML, not accepted by the Hub, or cannot be added to.
        """
        # Before, so that we are not blamed for what the Hub refuses already; after, so that we add no such thing.
        if existing is not None:
            check_accepted(existing)
        merged = merge_card(existing, title=self.model, section=self.section, index=self.index)
        check_accepted(merged)
        return merged


def make_card(
    results: Sequence[TaskResult],
    model: str,
    *,
    dataset: Benchmark | None = None,
    plot: str | None = None,
    where: Mapping[str, Any] | None = None,
    suites: Suites | None = None,
) -> ResultCard:
    """Put a model's results into words and metadata.

    Ranked tasks are published in the metadata; if there are only example tasks, those are, so that a trial run shows
    every step.

    Args:
        results: All results at hand; those of controls are shown beside the model's where the task is the same.
        model: Model id.
        dataset: The dataset on the Hub that the scores refer to.
        plot: Link to a picture, relative to the card.
        where: Axes of the settings to show, where there are results of several; see `choose_settings`.
        suites: Lists of tasks that get a mean of their own, see `group_tasks`.

    Raises:
        CardError: There are no results of the model, or they are not of one kind.
        ReportError: They have several settings, and `where` does not say which to take.
    """
    dataset = dataset or Benchmark()
    own = _of_model(results, model, where)
    same_task = {_task_key(result) for result in own}
    settings = own[0].settings
    others = [
        result
        for result in results
        if result.model.id != model and result.settings == settings and _task_key(result) in same_task
    ]
    table = next(table for table in tables.build([*own, *others], suites=suites).tables if model in table.models)
    published = [result for result in own if result.task.ranked and "/" not in result.task.id]
    published = published or [result for result in own if "/" not in result.task.id]
    published = [result for result in published if _main(result) is not None]
    return ResultCard(
        model=model,
        section=_section(own, table, plot),
        index=_model_index(published, dataset),
        eval_results=_eval_results([result for result in published if _is_in_dataset(result)], dataset),
    )


def write_card(card: ResultCard, path: Path) -> list[Path]:
    """Write or update the card, and `.eval_results/gene-bench.yaml` beside it; on an error neither is touched.

    Returns:
        Paths of the files that were written.

    Raises:
        CardError: The card at `path` cannot be extended.
        FileError: A file cannot be written.
    """
    try:
        # As bytes, because text mode would change the card's line ends.
        existing = path.read_bytes().decode("utf-8") if path.exists() else None
        texts = {path: card.merged(existing)}
    except (CardError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        message = f"{path} is left as it was: {reason}"
        raise CardError(message) from error
    if card.eval_results:
        texts[path.parent / EVAL_RESULTS] = card.eval_results
    # All are written before the first is moved.
    with ExitStack() as stack:
        for target, text in texts.items():
            stack.enter_context(atomic_path(target)).write_bytes(text.encode())
    return list(texts)


def _of_model(results: Sequence[TaskResult], model: str, where: Mapping[str, Any] | None) -> list[TaskResult]:
    own = [result for result in results if result.model.id == model]
    if not own:
        known = sorted({result.model.id for result in results})
        hint = did_you_mean(model, known) if known else "make some with: gene-bench run MODEL -o DIR"
        message = f"no results of {model!r}; {hint}"
        raise CardError(message)
    settings = choose_settings([result.settings for result in own], where, of=model)
    own = [result for result in own if result.settings == settings]
    for what, values in (
        ("revisions", {str(result.model.revision) for result in own}),
        ("options", {result.model.options_text for result in own}),
    ):
        if len(values) > 1:
            shown = "; ".join(sorted(map(str, values)))
            message = f"results of {model} are of {len(values)} {what} ({shown}); run it again with --overwrite"
            raise CardError(message)
    return own


def _task_key(result: TaskResult) -> tuple[str, str, str, str]:
    task = result.task
    return task.id, task.version, task.data_sha256, task.folds_sha256


def _main(result: TaskResult) -> float | None:
    score = result.scores.get(result.task.main_metric)
    return defined(score.mean) if score else None


def _section(own: Sequence[TaskResult], table: tables.Table, plot: str | None) -> str:
    record = own[0].model
    footnotes = [CONTROLS] if any(control != record.id for control in table.controls) else []
    if any(not task.is_ranked for task in table.tasks):
        why = "; ".join(f"{markdown(task.name)}: {task.why_unranked}" for task in table.tasks if task.why_unranked)
        footnotes.append(f"\\* in no mean and in no ranking. {why}.")
    revision = f", revision {code(record.revision)}" if record.revision else ""
    facts = (f"adapter {code(record.adapter)}{revision}", f"{record.dim} dimensions")
    vectors = f"{', '.join(facts)}, sha256 {code(record.embedding_sha256)}"
    return (
        Template(files("gene_eval.publishing").joinpath("templates/result_card.md").read_text(encoding="utf-8"))
        .substitute(
            model=code(record.id),
            version=markdown(_version(own[0])),
            settings=markdown(str(table.settings).capitalize()),
            figure=f"\n![Results of {markdown(record.id)}]({plot})\n" if plot else "",
            families=_families(record.id, table),
            tasks=_tasks(record.id, table),
            footnotes="\n".join(footnotes) or "No control was run beside it.",
            commands=_commands(own),
            vectors=vectors,
        )
        .rstrip()
        + "\n"
    )


def _families(model: str, table: tables.Table) -> str:
    columns = [model, *(control for control in table.controls if control != model)]
    lines = []
    for group, tasks in table.groups.items():
        means = [table.means.get((column, group)) for column in columns]
        shown = [_score(mean.mean, mean.std) if mean else NOTHING for mean in means]
        n_tasks = f"{len(tasks)} of {len(table.suites[group])}" if group in table.suites else str(len(tasks))
        lines.append([markdown(group), group_metric(group, table.settings), n_tasks, *shown])
    if not lines:
        return "None: no task here counts in a ranking."
    header = ["family", "metric", "tasks", markdown(model), *(f"{markdown(each)} (control)" for each in columns[1:])]
    return "\n\n".join([_pipes(header, lines), *map(markdown, table.suite_notes)])


def _tasks(model: str, table: tables.Table) -> str:
    controls = [control for control in table.controls if control != model]
    lines = []
    for task in table.tasks:
        cells = [table.cells.get((column, task.name)) for column in (model, *controls)]
        own = cells[0]
        assert own is not None, task.name
        shown = [_score(cell.mean, cell.std) if cell else NOTHING for cell in cells]
        if (against := table.against_controls.get(task.name)) and model in against.rescaled:
            shown[0] += f" ({against.rescaled[model]:z.3f})"
        name = markdown(task.name) + ("" if task.is_ranked else " \\*")
        lines.append([name, markdown(task.family), task.metric, *shown, f"{own.n_scored} of {task.n}"])
    header = [
        "task",
        "family",
        "metric",
        markdown(model),
        *(f"{markdown(each)} (control)" for each in controls),
        "scored",
    ]
    return _pipes(header, lines)


def _score(mean: float | None, std: float | None) -> str:
    if mean is None:
        return NOTHING
    return f"{mean:z.3f}" if std is None else f"{mean:z.3f} ± {std:.3f}"


def _pipes(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _commands(own: Sequence[TaskResult]) -> str:
    record = own[0].model
    has_others = any(map(is_common, own))
    words = [
        "gene-bench",
        "run",
        printable(shlex.quote(model_string(record) or "MODEL")),
        *([OTHERS] if has_others else []),
    ]
    for task in sorted(result.task.id for result in own):
        # With no-break spaces, so that an option and its value stay on one line.
        words.append(f"-t\xa0{task}")
    options = dict.fromkeys(option for result in own for option in run_options(result))
    words += [option.replace(" ", "\xa0") for option in options]
    lines = textwrap.wrap(
        " ".join(words), LINE, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    command = " \\\n".join(lines).replace("\xa0", " ")
    return f"pip install {shlex.quote('gene-bench==' + printable(_version(own[0])))}\n{command}"


def _version(result: TaskResult) -> str:
    return result.environment.get("gene-bench", __version__)


def _is_in_dataset(result: TaskResult) -> bool:
    """Whether `push data` publishes the task: `.eval_results` may name only tasks of the dataset's `eval.yaml`."""
    return are_open([result.task.source, *(path.partition("/")[0] for path in result.task.inputs)])


def _model_index(published: Sequence[TaskResult], dataset: Benchmark) -> list[dict[str, Any]]:
    if not published:
        return []
    scores = [
        EvalResult(
            task_type="tabular-regression" if result.task.target == "regression" else "tabular-classification",
            task_name=f"Linear probe of gene vectors, {result.task.target}",
            dataset_type=dataset.id,
            dataset_name=f"gene-bench {result.task.id}",
            dataset_config=result.task.id,
            dataset_split=SPLIT,
            dataset_revision=dataset.revision,
            metric_type=result.task.main_metric,
            metric_name=f"{result.task.main_metric}, mean over folds",
            metric_value=_main(result),
            source_name=SOURCE,
            source_url=HOMEPAGE,
        )
        for result in published
    ]
    (entry,) = eval_results_to_model_index(published[0].model.id, scores)
    index: list[dict[str, Any]] = entry["results"]
    return index


def _eval_results(published: Sequence[TaskResult], dataset: Benchmark) -> str:
    if not published:
        return ""
    entries = [
        EvalResultEntry(
            dataset_id=dataset.id,
            task_id=result.task.id,
            value=_main(result),
            dataset_revision=dataset.revision,
            date=result.created_at or None,
            notes=_notes(result),
        )
        for result in published
    ]
    return str(yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True, width=LINE))


def _notes(result: TaskResult) -> str:
    facts: Mapping[str, object] = {
        "metric": result.task.main_metric,
        **result.settings.shown,
        "scored": f"{result.coverage.n_scored} of {result.coverage.n_task}",
        "task version": result.task.version,
        "data sha256": result.task.data_sha256[:12],
        "vectors sha256": result.model.embedding_sha256[:12],
        "gene-bench": _version(result),
    }
    text = ", ".join(f"{name} {value}" for name, value in facts.items())
    return text if result.task.ranked else f"{text}; an example task, part of no ranking"
