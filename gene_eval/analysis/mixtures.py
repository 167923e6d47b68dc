"""Which results of a table are not of one kind, one line for each."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gene_eval.results.records import TaskRecord, TaskResult
from gene_eval.results.reproduce import COMMON_TO
from gene_eval.results.settings import COMMON
from gene_eval.text import some

__all__ = ["common", "mixtures", "small_sources"]


def mixtures(results: Sequence[TaskResult], versions: Mapping[str, int]) -> Iterator[str]:
    """Results in one table that come from different data, models or ways to make vectors."""
    for task_id in sorted(task_id for task_id, count in versions.items() if count > 1):
        yield (
            f"{task_id} stands {versions[task_id]} times: its rows or folds differ between results; "
            "run it again for all models with --overwrite"
        )
    states: dict[str, set[tuple[str | None, str]]] = defaultdict(set)
    pair_modes: dict[str, set[str]] = defaultdict(set)
    diseases: dict[str, set[str]] = defaultdict(set)
    # A large folder has many results with the very same record of a model.
    for model in {id(result.model): result.model for result in results}.values():
        states[model.id].add((model.revision, model.options_text))
    for result in results:
        pair_modes[result.task.id].add(str(result.probe.params.get("pairs")))
        diseases[result.task.id].add(str(result.probe.params.get("diseases")))
    for name in sorted(name for name, known in states.items() if len(known) > 1):
        yield (
            f"{name} has results of {len(states[name])} different revisions or options in one column; "
            "run it again with --overwrite"
        )
    if mixed := sorted(task_id for task_id, known in pair_modes.items() if len(known) > 1):
        yield f"vectors of pairs were made in different ways (--pairs) on {some(mixed)}; run all models the same way"
    if mixed := sorted(task_id for task_id, known in diseases.items() if len(known) > 1):
        yield f"vectors of diseases are of different models (--diseases) on {some(mixed)}; run all with the same one"


def common(results: Sequence[TaskResult]) -> Iterator[str]:
    """What the entities of a run with `--common-genes` are."""
    entities = results[0].settings.entities
    if entities.startswith(COMMON):
        named = results[0].probe.params.get(COMMON_TO)
        models = some([str(name) for name in named], limit=10) if isinstance(named, list | tuple) else "that run"
        yield f"entities {entities}: only those that all models of one run have ({models})"


def small_sources(tasks: Iterable[TaskRecord]) -> Iterator[str]:
    """Tasks with less than half of the entities that the paper has, because of half a download, say."""
    sizes = {task.id: (task.n, task.audit.get("paper_n")) for task in tasks}
    small = [
        f"{name} ({n:,} of {paper_n:,})"
        for name, (n, paper_n) in sorted(sizes.items())
        if isinstance(paper_n, int) and 2 * n < paper_n
    ]
    if small:
        yield f"far fewer entities than in the paper: {some(small)}; are the source's files complete?"
