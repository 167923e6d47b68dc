"""Which vectors a cell needs, and a model whose vectors were made elsewhere."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cloudpickle  # type: ignore[import-untyped]

from builders import RawFiles
from gene_eval.core.graph.nodes import Graph
from gene_eval.running.boundary import one_line_errors
from gene_eval.running.encoding.lookups import LookupVectors, is_lookup
from gene_eval.running.encoding.vectors import DISEASE, DISEASES, SEQUENCE, TERMS, IndexedVectors, ModelVectors
from gene_eval.running.explaining import has_gain
from gene_eval.running.fitting import Fit
from gene_eval.running.plan import RunModels
from gene_eval.running.tasks import TaskArrays
from model_adapters.embedding.shards import can_shard, encode_shard, keep_shards

__all__ = [
    "Described",
    "GivenVectors",
    "Made",
    "Want",
    "all_models",
    "describe_model",
    "given",
    "make",
    "models_to_send",
    "needed_first",
    "travels",
    "wants",
]

TABLE, SEQUENCES, GRAPH, SHARD = "table", "sequences", "graph", "shard"
LARGEST = 1 << 20
"""Bytes of a pickled model that may pass through the scheduler."""


class Want(NamedTuple):
    """Vectors that one worker makes for all: of a gene table, of a task's sequences, or a graph over a gene table.

    Args:
        owner: Position of the model in `all_models`.
        kind: "table", "sequences", "graph", or "shard": a part of the vectors of a table.
        name: Of the table, the task, the graph and the table, or the table with a shard and how many there are.
    """

    owner: int
    kind: str
    name: str


@dataclass(frozen=True)
class Described:
    """What a result says of a model, without the model."""

    model_id: str
    revision: str | None
    adapter: str
    options: dict[str, Any]
    lookup_by: str | None = None


@dataclass(frozen=True)
class Made:
    """Vectors that were made for a want.

    Args:
        value: `IndexedVectors`, or the graph and its hash.
        model: As it is once its vectors are there.
        seconds: That it took.
    """

    value: Any
    model: Described
    seconds: float


@dataclass
class GivenVectors(ModelVectors):
    """A model over vectors that were made elsewhere."""

    given: dict[tuple[str, str], Any] = field(default_factory=dict)

    def of(self, table: str) -> IndexedVectors:
        """Vectors of a gene table."""
        found: IndexedVectors = self.given[TABLE, table]
        return found

    def graph(self, name: str, table: str) -> tuple[Graph, str]:
        """A graph over the rows of a gene table's vectors, and its hash."""
        found: tuple[Graph, str] = self.given[GRAPH, f"{name} {table}"]
        return found

    def _of_sequences(self, task: TaskArrays) -> IndexedVectors:
        found: IndexedVectors = self.given[SEQUENCES, task.record.id]
        return found


def all_models(models: RunModels) -> list[ModelVectors]:
    """Every model of a run that may have to be embedded; those that are scored come first."""
    others = (models.covariates, models.diseases, models.terms)
    return [*models.scored, *(each for each in others if each is not None)]


def describe_model(model: Any) -> Described:
    """What is needed of a model once its vectors are there."""
    by = getattr(model, "lookup_by", None)
    return Described(model.model_id, model.revision, model.adapter, dict(model.options), by)


def travels(model: Any) -> bool:
    """Whether a model is sent to the workers: what can be made anew there, and is no file and no object in memory.

    Vectors that exist are read by the client, which has their file; so are objects too large to send.
    """
    try:
        # An object of the user's may refuse, in any way.
        size = len(cloudpickle.dumps(model))
    except Exception:  # noqa: BLE001
        return False
    return size <= LARGEST and not _has_vectors(model)


def _has_vectors(model: Any) -> bool:
    return callable(getattr(model, "table", None)) or any(map(_has_vectors, getattr(model, "parts", ())))


def models_to_send(models: RunModels) -> RunModels:
    """The models as workers need them: what does not travel is described only."""
    sent: dict[int, ModelVectors] = {}

    def send(of_model: ModelVectors) -> ModelVectors:
        if id(of_model) not in sent:
            model = of_model.model if travels(of_model.model) else describe_model(of_model.model)
            sent[id(of_model)] = type(of_model)(
                model,
                RawFiles(of_model.raw.data_dir),
                name=of_model.name,
                device=of_model.device,
                batch_size=of_model.batch_size,
                diseases=None if of_model.diseases is None else send(of_model.diseases),
                terms=None if of_model.terms is None else send(of_model.terms),
                words=of_model.words,
            )
        return sent[id(of_model)]

    others = (None if each is None else send(each) for each in (models.covariates, models.diseases, models.terms))
    return RunModels([send(each) for each in models.asked], [send(each) for each in models.controls], *others)


def wants(models: RunModels, number: int, task: TaskArrays, fit: Fit, *, common: bool) -> list[Want]:
    """The vectors that a cell needs, each once.

    Args:
        models: Of the run.
        number: Of the cell's model.
        task: Its task, of which the record, the gene table and the names of the entity columns are read.
        fit: What is fitted.
        common: Whether the cell needs to know which entities the other models have.
    """
    everything = all_models(models)
    owners = [number, *(range(len(models.asked)) if common else ())]
    found = [want for owner in owners for want in _of_columns(everything, owner, task)]
    if fit.graph:
        found.append(Want(number, GRAPH, f"{fit.graph} {task.gene_table}"))
    if models.covariates is not None and has_gain(task, everything[number], fit):
        found += _of_columns(everything, _place(everything, models.covariates), task)
    return list(dict.fromkeys(found))


def _of_columns(everything: Sequence[ModelVectors], owner: int, task: TaskArrays) -> list[Want]:
    of_model = everything[owner]
    if is_lookup(of_model.model):
        return []
    found = []
    for column in task.entities:
        if column == SEQUENCE:
            found.append(Want(owner, SEQUENCES, task.record.id))
        elif column == DISEASE:
            other = owner if of_model.diseases is None else _place(everything, of_model.diseases)
            found.append(Want(other, TABLE, DISEASES))
        else:
            found.append(Want(owner, TABLE, task.gene_table))
    return found


def _place(everything: Sequence[ModelVectors], of_model: ModelVectors) -> int:
    return next(i for i, each in enumerate(everything) if each is of_model)


def needed_first(everything: Sequence[ModelVectors], want: Want, *, workers: int) -> list[Want]:
    """The vectors that a graph is made of, and the shards of a table where there are more workers than models.

    Args:
        everything: All models.
        want: What is to be made.
        workers: That can embed.
    """
    if want.kind == TABLE:
        owner = everything[want.owner].model
        of = workers // sum(travels(each.model) for each in everything) if can_shard(owner) else 1
        return [Want(want.owner, SHARD, f"{want.name} {number} {of}") for number in range(of)] if of > 1 else []
    if want.kind != GRAPH:
        return []
    terms = everything[want.owner].terms
    table = Want(want.owner, TABLE, want.name.split(" ")[1])
    return [table, *([] if terms is None else [Want(_place(everything, terms), TABLE, TERMS)])]


def make(of_model: ModelVectors, want: Want, task: TaskArrays | None, first: Mapping[Want, Made]) -> Made:
    """Make vectors, or a graph over them.

    Args:
        of_model: Whose vectors are wanted.
        want: Which.
        task: The task whose sequences they are of.
        first: What was made before, see `needed_first`; a shard that is not worth it is None.

    Raises:
        GeneBenchError: They cannot be made.
    """
    before = of_model.seconds
    value: Any
    if want.kind == SEQUENCES:
        assert task is not None
        value = of_model._of_sequences(task)
    elif want.kind == GRAPH:
        for each, made in first.items():
            if each.owner == want.owner:
                of_model.take(each.name, made.value)
            elif of_model.terms is not None:
                of_model.terms.take(each.name, made.value)
        name, table = want.name.split(" ")
        value = of_model.graph(name, table)
    elif want.kind == SHARD:
        return _shard(of_model, *want.name.split(" "))
    else:
        if shards := [made.value for made in first.values() if made.value is not None]:
            before -= sum(made.seconds for made in first.values())
            rows = of_model.rows(want.name)
            of_model.shards = keep_shards(rows, of_model.model, shards, batch_size=of_model.batch_size)
        value = of_model.of(want.name)
    return Made(value, describe_model(of_model.model), of_model.seconds - before)


def _shard(of_model: ModelVectors, table: str, number: str, of: str) -> Made:
    began = time.perf_counter()
    with one_line_errors(of_model.name):
        options: dict[str, Any] = {"batch_size": of_model.batch_size, "device": of_model.device}
        shard = encode_shard(of_model.rows(table), of_model.model, number=int(number), of=int(of), **options)
    return Made(shard, describe_model(of_model.model), time.perf_counter() - began)


def given(everything: Sequence[ModelVectors], number: int, made: Mapping[Want, Made]) -> ModelVectors:
    """A model over its vectors, and those of diseases, that were made elsewhere; a lookup needs none."""
    of_model = everything[number]
    if is_lookup(of_model.model):
        return LookupVectors(of_model.model, of_model.raw, name=of_model.name, log=of_model.log)
    own = {want: each for want, each in made.items() if want.owner == number}
    if of_model.diseases is not None:
        other = _place(everything, of_model.diseases)
        own = {**{want: each for want, each in made.items() if want == (other, TABLE, DISEASES)}, **own}
    after = [each.model for want, each in own.items() if want.owner == number]
    return GivenVectors(
        after[0] if after else of_model.model,
        of_model.raw,
        name=of_model.name,
        log=of_model.log,
        diseases=of_model.diseases,
        terms=of_model.terms,
        seconds=sum(each.seconds for each in own.values()),
        given={(want.kind, want.name): each.value for want, each in own.items()},
    )
