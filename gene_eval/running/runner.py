"""Tasks times models: loads, embeds, probes and saves, one result file after the other."""

import hashlib
import importlib.metadata
import platform
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import numpy as np

from builders import RawFiles
from builders.errors import BuilderError
from gene_eval import __version__
from gene_eval.core.engines import DEFAULT_ENGINE
from gene_eval.core.errors import ProbeError
from gene_eval.core.probe import ProbeResult, probe
from gene_eval.errors import CoverageError, GeneBenchError
from gene_eval.results import store as results
from gene_eval.results.reproduce import model_string
from gene_eval.results.store import Coverage, ModelRecord, ProbeRecord, ScoreRecord, TaskResult
from gene_eval.running.tasks import Failure, Task, choose, load_tasks
from gene_eval.running.vectors import SAMPLE, Gathered, ModelVectors, make_resolve
from model_adapters import AdapterError, Model, choose_devices, load_model

__all__ = ["Outcome", "RunOptions", "run"]

PACKAGES = ("datasets", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "torch")


@dataclass(frozen=True)
class RunOptions:
    """What a run may be told, besides which models and tasks.

    Args:
        out: Folder of the result files.
        data_dir: Folder with raw files; see `builders.RawFiles`.
        device: Where models and the probe compute, or several with commas between; None takes the best there is.
        memory: Bytes the probe may take beside the vectors; None takes a share of what is free.
        batch_size: Genes that a model encodes at a time; None takes the model's own.
        seed: Of the probe; folds belong to the task and do not depend on it.
        protocol: See `gene_eval.core.probe.probe`.
        engine: See `gene_eval.core.probe.probe`.
        missing: "drop" leaves out entities without a vector, "error" fails the task.
        common_genes: Whether to score only the entities that all models of the run have.
        pairs: How the vectors of a gene pair become one: "average" or "concat".
        diseases: MODEL string of the model that encodes diseases; None takes the model that encodes the genes.
        overwrite: Whether to run again what `out` already holds.
        progress: Whether to show progress bars on stderr.
    """

    out: Path = Path("results")
    data_dir: Path | None = None
    device: str | None = None
    memory: float | None = None
    batch_size: int | None = None
    seed: int = 0
    protocol: str = "paper"
    engine: str = DEFAULT_ENGINE
    missing: str = "drop"
    common_genes: bool = False
    pairs: str = "average"
    diseases: str | None = None
    overwrite: bool = False
    progress: bool = False


@dataclass
class Outcome:
    """What a run did: `results` holds all that was asked for and could be scored, new or already there.

    `seconds` are those of the stages "embed", "solve" and "score", over all models and tasks.
    """

    results: list[TaskResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    fitted: int = 0
    up_to_date: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def run(
    models: Sequence[str],
    patterns: Sequence[str],
    options: RunOptions,
    *,
    split_labels: bool = False,
    log: Callable[[str], None] = print,
) -> Outcome:
    """Score every model on every task and save one file each.

    A name that does not exist stops the run before it begins. After that a failure costs one task of one model: the
    rest goes on, and what is saved stays.

    Args:
        models: MODEL strings, see `model_adapters.load_model`.
        patterns: Task names or globs, see `gene_eval.running.tasks.choose`.
        options: Everything else.
        split_labels: Whether each label of a multi-label task is scored as a binary task as well.
        log: Takes lines for the user.

    Returns:
        Results, failures and counts.

    Raises:
        BuilderError: A pattern matches no task, or the data directory does not exist.
        AdapterError: A model does not exist, or the device is not there.
        GeneBenchError: Two of the models would write the same files.
    """
    if options.device is not None:
        choose_devices(options.device)
    raw = RawFiles(options.data_dir)
    chosen = choose(patterns, split_labels=split_labels)
    resolve = make_resolve(raw, log)
    loaded = {spec: load_model(spec, resolve=resolve) for spec in models}
    _check_names(loaded)
    encode = partial(
        ModelVectors, raw=raw, device=options.device, batch_size=options.batch_size, progress=options.progress, log=log
    )
    diseases = None if options.diseases is None else encode(load_model(options.diseases, resolve=resolve))
    sources = [encode(model, diseases=diseases) for model in loaded.values()]
    outcome = Outcome()
    tasks: list[Task] = []
    for item in load_tasks(chosen, raw):
        if isinstance(item, Failure):
            _fail(item, outcome, log)
        else:
            tasks.append(item)
    for vectors in sources:
        name = vectors.model.model_id
        for task in _shown(tasks, name, progress=options.progress):
            try:
                _score(task, vectors, sources, options, outcome, log)
            except (AdapterError, BuilderError, GeneBenchError, ProbeError) as error:
                _fail(Failure(task.record.id, name, str(error)), outcome, log)
        outcome.seconds["embed"] = outcome.seconds.get("embed", 0.0) + vectors.seconds
        _tell_missing(name, [result for result in outcome.results if result.model.id == name], log)
    return outcome


def _check_names(loaded: Mapping[str, Model]) -> None:
    specs: dict[str, str] = {}
    for spec, model in loaded.items():
        first = specs.setdefault(model.model_id, spec)
        if first != spec:
            message = (
                f"{first} and {spec} are both named {model.model_id}, so their results would overwrite each other;"
                " rename one, or run them with different -o"
            )
            raise GeneBenchError(message)


def _fail(failure: Failure, outcome: Outcome, log: Callable[[str], None]) -> None:
    told = any(other.reason == failure.reason for other in outcome.failures)
    outcome.failures.append(failure)
    where = f"{failure.model} on {failure.task}" if failure.model else failure.task
    log(f"failed: {where}: {'for the same reason' if told else failure.reason}")


def _tell_missing(name: str, scored: Sequence[TaskResult], log: Callable[[str], None]) -> None:
    lacking = [result for result in scored if result.coverage.n_missing]
    if lacking:
        shown = [f"{each.coverage.n_missing:,} of {each.coverage.n_task:,} on {each.task.id}" for each in lacking[:3]]
        more = f" and some on {len(lacking) - 3} more tasks" if len(lacking) > 3 else ""
        log(f"{name}: entities without a vector are left out: {', '.join(shown)}{more}")


def _shown(tasks: Sequence[Task], name: str, *, progress: bool) -> Iterator[Task]:
    from tqdm import tqdm

    yield from tqdm(tasks, desc=f"Scoring {name}", unit="task", disable=not progress, leave=False)


def _score(
    task: Task,
    vectors: ModelVectors,
    everyone: Sequence[ModelVectors],
    options: RunOptions,
    outcome: Outcome,
    log: Callable[[str], None],
) -> None:
    keep = np.logical_and.reduce([other.known(task) for other in everyone]) if options.common_genes else None
    gathered = vectors.gather(task, keep=keep, pairs=options.pairs)
    if options.missing == "error" and gathered.missing:
        message = (
            f"{len(gathered.missing):,} of {task.record.n:,} entities of {task.record.id} have no vector"
            f" ({', '.join(gathered.missing[:3])}); add them, or run with --missing drop"
        )
        raise CoverageError(message)
    _check_folds(task, gathered)
    wanted = _describe(task, vectors, gathered, options)
    path = results.path_for(options.out, wanted.model.id, task.record.id)
    if path.exists() and not options.overwrite:
        found = results.load(path)
        if _same_inputs(found, wanted):
            outcome.results.append(found)
            outcome.up_to_date += 1
            return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scored = probe(
            gathered.X,
            task.y[gathered.rows],
            target=task.record.target,
            folds=task.folds[gathered.rows],
            seed=options.seed,
            protocol=options.protocol,
            engine=options.engine,
            # Of several, which encode side by side, one solves.
            device=options.device and options.device.partition(",")[0],
            label_names=task.record.label_names if task.record.target == "multilabel" else None,
            memory=options.memory,
        )
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        log(f"warning: {wanted.model.id} on {task.record.id}: {text}")
    timing = {"embed_s": vectors.seconds, **{f"{stage}_s": seconds for stage, seconds in scored.seconds.items()}}
    result = _with_scores(wanted, scored, timing)
    for stage, seconds in scored.seconds.items():
        outcome.seconds[stage] = outcome.seconds.get(stage, 0.0) + seconds
    results.save(result, options.out)
    outcome.results.append(result)
    outcome.fitted += 1


def _check_folds(task: Task, gathered: Gathered) -> None:
    there, wanted = np.unique(task.folds[gathered.rows]).size, np.unique(task.folds).size
    if there < wanted:
        message = (
            f"{len(gathered.rows):,} of {task.record.n:,} entities of {task.record.id} have a vector, in {there} of"
            f" {wanted} folds; expected some in every fold, add vectors"
        )
        raise CoverageError(message)


def _describe(task: Task, vectors: ModelVectors, gathered: Gathered, options: RunOptions) -> TaskResult:
    """The result without its scores: everything that they depend on."""
    model = vectors.model
    params = {"pairs": options.pairs} if task.record.entity == "gene_pair" else {}
    if task.record.entity == "gene_disease" and vectors.diseases is not None:
        record = _record(vectors.diseases.model)
        params["diseases"] = model_string(record) or record.id
    return TaskResult(
        task=task.record,
        model=replace(_record(model), dim=gathered.dim, embedding_sha256=gathered.sha256, health=gathered.health),
        probe=ProbeRecord(options.protocol, options.engine, options.seed, params=params),
        coverage=Coverage(
            n_task=task.record.n,
            n_scored=len(gathered.rows),
            n_missing=len(gathered.missing),
            missing_sample=tuple(gathered.missing[:SAMPLE]),
            scored_sha256=_sha256(task, gathered),
        ),
        scores={},
    )


def _record(model: Model) -> ModelRecord:
    return ModelRecord(model.model_id, model.revision, model.adapter, 0, "", options=dict(model.options))


def _sha256(task: Task, gathered: Gathered) -> str:
    columns = list(task.entities.values())
    digest = hashlib.sha256()
    for entity in sorted("\t".join(column[row] for column in columns) for row in gathered.rows):
        digest.update(entity.encode() + b"\n")
    return digest.hexdigest()


def _same_inputs(found: TaskResult, wanted: TaskResult) -> bool:
    """Whether a saved result is what this run would compute: same labels, folds, entities, vectors and settings."""

    def key(result: TaskResult) -> tuple[object, ...]:
        task, model, settings = result.task, result.model, result.probe
        return (
            *(task.version, task.data_sha256, task.fold_scheme, task.folds_sha256, result.coverage.scored_sha256),
            *(model.id, model.revision, model.adapter, model.embedding_sha256, model.options_text),
            *(settings.protocol, settings.engine, settings.seed),
            *(settings.params.get("pairs"), settings.params.get("diseases")),
        )

    return key(found) == key(wanted)


def _with_scores(described: TaskResult, scored: ProbeResult, timing: dict[str, float]) -> TaskResult:
    settings = described.probe
    return replace(
        described,
        probe=replace(settings, params={**settings.params, **scored.params}, convergence=scored.convergence),
        scores={metric: ScoreRecord.of(each.mean, each.std, each.folds) for metric, each in scored.scores.items()},
        labels={
            label: {metric: ScoreRecord.of(each.mean, each.std, each.folds) for metric, each in scores.items()}
            for label, scores in scored.labels.items()
        },
        environment=_environment(),
        timing={name: round(seconds, 3) for name, seconds in timing.items()},
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


@cache
def _environment() -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    own = {"gene-bench": __version__, "python": platform.python_version(), "platform": platform.platform()}
    return {**own, **versions}
