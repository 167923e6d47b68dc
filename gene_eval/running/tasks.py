"""The tasks of a run in arrays: entities, labels, folds, and what a result records about them."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from builders import (
    ENTITY_COLUMNS,
    Built,
    RawFiles,
    TaskConfig,
    configs,
    entity_keys,
    load,
    select,
    subtasks,
)
from builders.errors import TaskCodeError
from builders.folds import N_FOLDS, PUBLISHED, SCHEMES, TaskRows, assign, family_column
from builders.folds.parts import SPLIT
from builders.labels import task_rows
from builders.sequences.rows import SPLIT_SCHEME
from builders.user_builders import is_builder_spec
from builders.user_tables import build_table
from gene_eval.catalogue.suites import expand
from gene_eval.core.parts.fits import GENEB, PART_NAMES, Parts
from gene_eval.core.splits import Splits
from gene_eval.errors import GeneBenchError
from gene_eval.results.records import TaskRecord
from gene_eval.running.boundary import one_line_errors
from gene_eval.running.outcome import Failure

TRAINED = -1
"""In place of a fold: the entity belongs to the part that every split trains on."""

__all__ = ["TaskArrays", "choose", "collect_tasks", "to_arrays"]

_ABOUT = {
    "gene": "genes",
    "gene_pair": "pairs of genes",
    "gene_disease": "genes with diseases",
    "sequence": "sequences",
}


@dataclass(frozen=True)
class TaskArrays:
    """A task in arrays.

    Args:
        record: What a result says about it.
        entities: Entity column -> (n,) identifiers.
        y: Labels as `gene_eval.core.probe` takes them.
        folds: For each repeat of the cross-validation, (n,) fold numbers or (n, 2) blocks of the genes of a pair; see
            `gene_eval.core.splits.Splits.from_blocks`. Of genes in parts, `TRAINED` or the fold of a tested gene; of
            sequences, the parts (see `gene_eval.core.parts.fits.Parts`).
        gene_table: Config of the genes whose vectors are scored.
        split: Name of the scheme of the folds.
        families: Gene column -> (n,) family of the gene; empty where families are not known.
        sequences: Of a task about sequences, (n,) what a model reads; a sequence may be in several rows.
    """

    record: TaskRecord
    entities: Mapping[str, Sequence[str]]
    y: npt.NDArray[Any]
    folds: Sequence[npt.NDArray[np.int8]]
    gene_table: str
    split: str = "random"
    families: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sequences: Sequence[str] = ()

    @property
    def is_parted(self) -> bool:
        """Whether the parts are those of sequences: training, validation and test, with one fit of each kind."""
        return self.record.entity == "sequence"

    @cached_property
    def keys(self) -> list[str]:
        """(n,) one text for each entity, see `builders.entity_keys`."""
        return entity_keys(self.entities.values())

    def splits(self, rows: npt.NDArray[np.int64], repeat: int = 0) -> Splits:
        """Splits of some of the entities."""
        if self.is_parted:
            return self.parts(rows).splits()
        numbers = self.folds[repeat][rows]
        if self.split != PUBLISHED:
            return Splits.from_blocks(numbers)
        trained = numbers == TRAINED
        return Splits.from_rows([(trained, numbers == fold) for fold in range(N_FOLDS)], n=len(rows))

    def parts(self, rows: npt.NDArray[np.int64]) -> Parts:
        """Parts of some of the entities of a task that has them."""
        return Parts(self.folds[0][rows])

    @cached_property
    def seen(self) -> npt.NDArray[np.bool_]:
        """(n,) whether it is a test row whose sequence is in the training part as well."""
        codes, sequences = self.folds[0], self.sequences
        known = {sequences[row] for row in np.flatnonzero(codes == 0).tolist()}
        return np.array(
            [code == len(PART_NAMES) - 1 and each in known for code, each in zip(codes, sequences, strict=True)]
        )


def collect_tasks(  # noqa: PLR0913 - tasks, where from, and how they are split
    tasks: Any,
    raw: RawFiles,
    *,
    subtasks: bool = False,
    splits: Sequence[str] | None = None,
    repeats: int = 1,
    build: Callable[[Mapping[str, Sequence[str]]], Iterator[Any]] | None = None,
) -> Iterator[Any]:
    """Load the tasks that were asked for, one after the other; what cannot be built is a `Failure` among the others.

    Args:
        tasks: One or several, or a mapping from names to them. A task is a name, a glob, `file.py:Class`, a
            `TaskConfig`, or a csv or tsv file, frame or Dataset with an entity column (`symbol`, or any other
            identifiers of genes; `symbol_a` and `symbol_b`; `symbol` and `disease_id`; `sequence`), `label` and
            perhaps `fold` or `split`. None at all: see `choose`.
        raw: Raw files, shared by the run.
        subtasks: Whether the labels of every chosen multi-label task are tasks as well.
        splits: Schemes to score each task by, of `builders.folds.SCHEMES` or "published"; one it cannot have is a
            `Failure`. None takes "published" where a task has parts and "random" elsewhere.
        repeats: Assignments of folds, from as many seeds, for a scheme that has others.
        build: Builds the tasks of gene-bench elsewhere, given what `choose` returns; those of the user are built here.

    Returns:
        `TaskArrays` and `Failure`, and what `build` gives.

    Raises:
        BuilderError: A name matches no task; this is raised before anything is loaded.
        GeneBenchError: Two tasks have the same name, or something other than a task was given.
    """
    patterns, tables = _sorted_out(tasks)
    chosen = choose(patterns, subtasks=subtasks) if patterns or not tables else {}
    if taken := [name for name in tables if name in configs()]:
        message = f"the name {taken[0]!r} belongs to a task of gene-bench; give your table another name"
        raise GeneBenchError(message)
    elsewhere = {} if build is None else {name: chosen[name] for name in chosen if not is_builder_spec(name)}
    here = {name: globs for name, globs in chosen.items() if name not in elsewhere}
    loaded = _load(here, tables, raw, subtasks=subtasks)
    built = (
        item
        for built in loaded
        for item in ([built] if isinstance(built, Failure) else _by_splits(built, splits, repeats=repeats))
    )
    return built if build is None else chain(build(elsewhere), built)


def _by_splits(built: Built, splits: Sequence[str] | None, *, repeats: int) -> Iterator[TaskArrays | Failure]:
    default = PUBLISHED if isinstance(built.config, TaskConfig) and built.config.entity == "sequence" else "random"
    for split in splits or (default,):
        try:
            yield to_arrays(built, split=split, repeats=repeats)
        except GeneBenchError as error:
            yield Failure(task=built.config.name, model="", reason=str(error))


def _sorted_out(tasks: Any) -> tuple[list[str], dict[str, Any]]:
    """Names and globs, and a user's own tables by name."""
    patterns: list[str] = []
    tables: dict[str, Any] = {}
    items = list(tasks) if isinstance(tasks, list | tuple) else [tasks]
    for item in items:
        named = item.items() if isinstance(item, Mapping) and not _is_table(item) else [(None, item)]
        for name, task in named:
            path = _file_of_rows(task)
            if isinstance(task, str) and path is None:
                if Path(task).suffix and Path(task).is_file():
                    message = f"{task} is no csv or tsv file; a task of your own is a table with an entity and a label"
                    raise GeneBenchError(message)
                patterns.append(task)
            elif isinstance(task, TaskConfig):
                patterns.append(task.name)
            elif _is_table(task) or path is not None:
                own = (
                    name or (path and path.name.partition(".")[0]) or (f"task-{len(tables) + 1}" if tables else "task")
                )
                if own in tables:
                    message = f'two tables are named {own!r}; give each its own name: {{"name": table}}'
                    raise GeneBenchError(message)
                tables[own] = task if path is None else path
            else:
                message = (
                    f"a task is a {type(task).__name__}; expected a name or glob, a TaskConfig, or a frame or Dataset"
                    " with an entity column and label"
                )
                raise GeneBenchError(message)
    return patterns, tables


def _file_of_rows(task: Any) -> Path | None:
    """The csv or tsv file that a task was given as; None where it is something else."""
    if not isinstance(task, str | Path):
        return None
    name = Path(task).name.removesuffix(".gz")
    return Path(task).expanduser() if name.endswith((".csv", ".tsv")) else None


def _is_table(item: Any) -> bool:
    return hasattr(item, "columns") or hasattr(item, "column_names")


def choose(patterns: Sequence[str], *, subtasks: bool = False) -> dict[str, list[str]]:
    """Which tasks to load for names and globs, and which of their labels as tasks of their own.

    Args:
        patterns: Task names or globs; `@starter` means the tasks of that suite, `reactome_pathways/*` the labels of
            that task, `file.py:Class` the tasks of a builder of the user's own. None means every task, but for the
            starter tasks and those that are run only when they are named.
        subtasks: Whether the labels of every chosen multi-label task are tasks as well.

    Returns:
        Task name -> "" for the task itself, else globs over its labels.

    Raises:
        UnknownTaskError: A pattern matches no task; a user's file that cannot be run is left to `collect_tasks`.
    """
    chosen: dict[str, list[str]] = {}
    for pattern in expand(patterns) or ["*"]:
        name, _, label = (pattern, "", "") if is_builder_spec(pattern) else pattern.partition("/")
        try:
            matches = select([name])
        except TaskCodeError:
            # A user's file that cannot be run becomes a task that fails when it is loaded; the others go on.
            chosen[name] = [""]
            continue
        if label and name not in matches:
            # A glob over tasks asks for the labels of those that have any.
            matches = [match for match in matches if _config(match).target == "multilabel"] or matches
        for match in matches:
            globs = chosen.setdefault(match, [])
            globs += [each for each in _label_globs(match, label, subtasks=subtasks) if each not in globs]
    if not patterns:
        starter = select(expand(["@starter"]))
        chosen = {name: globs for name, globs in chosen.items() if name not in starter and not _config(name).on_request}
    order = [name for name in select([]) if name in chosen]
    return {name: chosen[name] for name in [*order, *(name for name in chosen if is_builder_spec(name))]}


def _label_globs(name: str, label: str, *, subtasks: bool) -> list[str]:
    if label:
        return [label]
    return ["", "*"] if subtasks and _config(name).target == "multilabel" else [""]


def _config(name: str) -> TaskConfig:
    config = configs()[name]
    assert isinstance(config, TaskConfig)
    return config


def _load(
    chosen: Mapping[str, Sequence[str]], tables: Mapping[str, Any], raw: RawFiles, *, subtasks: bool
) -> Iterator[Built | Failure]:
    for name, globs in chosen.items():
        yield from _built(name, lambda name=name: load(name, raw), globs)
    for name, table in tables.items():
        yield from _built(name, lambda name=name, table=table: build_table(name, table, raw), [""], labels=subtasks)


def _built(name: str, build: Any, globs: Sequence[str], *, labels: bool = False) -> Iterator[Built | Failure]:
    try:
        # A builder may be a user's, and a table of any content.
        with one_line_errors():
            built: Built = build()
    except GeneBenchError as error:
        yield Failure(task=name, model="", reason=str(error))
        return
    if labels and isinstance(built.config, TaskConfig) and built.config.target == "multilabel":
        globs = [*globs, "*"]
    ready: dict[str, Built] = {}
    for label in globs:
        try:
            ready |= {item.config.name: item for item in (subtasks(built, label) if label else [built])}
        except GeneBenchError as error:
            yield Failure(task=f"{name}/{label}", model="", reason=str(error))
    yield from ready.values()


def to_arrays(built: Built, *, split: str = "random", repeats: int = 1) -> TaskArrays:
    """Turn a dataset with entity columns, `label` and folds into arrays, and take the hashes that results record.

    Args:
        built: The task.
        split: Scheme of the folds. A task in parts has `published` in place of `random`.
        repeats: Assignments of folds, of which the first is the column; one for a scheme that has no other.

    Raises:
        GeneBenchError: The task has no folds of the scheme.
    """
    config, dataset = built.config, built.dataset
    assert isinstance(config, TaskConfig)
    if config.entity == "sequence":
        return _sequence_arrays(built, split)
    # Random folds would mix what was known earlier with what was found later.
    if split == "random" and SPLIT in dataset.column_names:
        split = PUBLISHED
    scheme = SCHEMES[split]
    if scheme.column not in dataset.column_names:
        raise GeneBenchError(_why_no_split(built, split))
    # A slice reads a column at once; to iterate over a column is to format row after row.
    entities = {column: dataset[column][:] for column in ENTITY_COLUMNS[config.entity]}
    values = dataset["label"][:]
    folds = [np.asarray(dataset["fold" if split == PUBLISHED else scheme.column][:], dtype=np.int8)]
    if split == PUBLISHED:
        folds = [np.where(np.asarray(dataset[SPLIT][:]) == "train", TRAINED, folds[0]).astype(np.int8)]
    feature = dataset.features["label"]
    names: list[str] = getattr(getattr(feature, "feature", feature), "names", [])
    keys = entity_keys(entities.values())
    named = {column: family_column(column) for column in entities}
    families = {column: dataset[name][:] for column, name in named.items() if name in dataset.column_names}
    rows: TaskRows = replace(task_rows(entities, values, names or None, config), families=families)
    repeats = repeats if scheme.repeatable else 1
    folds += [assign(split, rows, seed=seed) for seed in range(1, repeats)]
    y = _labels(values, config.target, len(names))
    record = _record(
        built,
        n=len(keys),
        data_sha256=_sha256([*names, *_sorted_lines(keys, values)]),
        fold_scheme=scheme.recorded(repeats),
        folds_sha256=_sha256(
            _sorted_lines(keys, [" ".join(map(str, each)) for each in zip(*map(np.ndarray.tolist, folds), strict=True)])
        ),
        repeats=repeats,
        figure2_family=config.figure2_family or config.family,
        label_names=tuple(names),
        from_annotation=config.from_annotation,
        default_split=PUBLISHED if split == PUBLISHED else "random",
        class_counts=_class_counts(y, config.target, len(names)),
    )
    return TaskArrays(record, entities, y, folds, config.gene_table, split, families)


def _sequence_arrays(built: Built, split: str) -> TaskArrays:
    """A task with parts; hashes go by the order of its rows, since draws of few rows do.

    Raises:
        GeneBenchError: The task has no parts, or another split was asked for.
    """
    config, dataset = built.config, built.dataset
    assert isinstance(config, TaskConfig)
    if split != PUBLISHED:
        message = f"sequences cannot be split by {split}; expected {PUBLISHED}, which is the default"
        raise GeneBenchError(message)
    ids, sequences, values = (dataset[column][:] for column in ("sequence_id", "sequence", "label"))
    names: list[str] = dataset.features["label"].names
    parts = dataset["split"][:]
    is_drawn = any(SPLIT_SCHEME in note for note in built.audit.notes)
    record = _record(
        built,
        n=len(ids),
        data_sha256=_sha256([*names, *(f"{key}\t{value}" for key, value in zip(ids, values, strict=True))]),
        fold_scheme=SPLIT_SCHEME if is_drawn else PUBLISHED,
        folds_sha256=_sha256(f"{key}\t{part}" for key, part in zip(ids, parts, strict=True)),
        figure2_family=config.family,
        label_names=tuple(names),
        default_split=PUBLISHED,
        default_protocol=GENEB,
    )
    codes = np.array([PART_NAMES.index(part) for part in parts], dtype=np.int8)
    y = _labels(values, config.target, len(names))
    return TaskArrays(record, {"sequence_id": ids}, y, [codes], "", PUBLISHED, sequences=sequences)


def _record(built: Built, **facts: Any) -> TaskRecord:
    """What a result says about a task: what its config and audit say, and facts about its rows and folds."""
    config = built.config
    assert isinstance(config, TaskConfig)
    return TaskRecord(
        id=config.name,
        version=str(config.version),
        target=config.target,
        entity=config.entity,
        family=config.family,
        source=config.source,
        ranked=config.ranked,
        inputs=built.audit.inputs,
        audit=built.audit.counts(),
        **facts,
    )


def _why_no_split(built: Built, split: str) -> str:
    """One line: this kind of task cannot have the split, or this task cannot, or it was built without it."""
    config = built.config
    assert isinstance(config, TaskConfig)
    if config.entity not in SCHEMES[split].entities:
        others = [name for name, scheme in SCHEMES.items() if config.entity in scheme.entities]
        return f"{_ABOUT[config.entity]} cannot be split by {split}; they can by {', '.join(others)}"
    if split == PUBLISHED:
        return "no split published: it comes in one part"
    return f"no split {split}: {built.audit.no_splits.get(split, 'it was built without it; build it again')}"


def _labels(values: list[Any], target: str, n_labels: int) -> npt.NDArray[Any]:
    if target != "multilabel":
        return np.asarray(values, dtype=np.float64 if target == "regression" else np.int64)
    y = np.zeros((len(values), n_labels), dtype=np.int8)
    rows = np.repeat(np.arange(len(values)), [len(cell) for cell in values])
    y[rows, [label for cell in values for label in cell]] = 1
    return y


def _class_counts(y: npt.NDArray[Any], target: str, n_classes: int) -> tuple[int, ...]:
    if target == "regression":
        return ()
    counts = y.sum(axis=0) if target == "multilabel" else np.bincount(y, minlength=n_classes)
    return tuple(counts.tolist())


def _sorted_lines(keys: Sequence[str], values: Sequence[Any]) -> Iterator[str]:
    return (f"{key}\t{value}" for key, value in sorted(zip(keys, map(str, values), strict=True)))


def _sha256(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()
