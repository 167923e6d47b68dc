"""The models of a run: MODEL strings and objects of every kind, each with the name of its results."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any

from builders.catalog import configs
from gene_eval.analysis.controls import CONTROLS as CONTROL_ADAPTERS
from gene_eval.errors import GeneBenchError
from model_adapters import Model, Resolve, from_object
from model_adapters.combined import ShuffledVectors
from model_adapters.errors import UnknownModelError
from model_adapters.files.memory import MemoryVectors

__all__ = ["CONTROLS", "NamedModel", "control_models", "load_models"]

CONTROLS = ("lookup:family", "lookup:pair", "nuisance:publications", "nuisance:all")
"""Controls that explain scores without any model; each model's vectors, given to other genes, are added to them."""


@dataclass(frozen=True)
class NamedModel:
    """A model of a run.

    Args:
        name: Name under which its results are filed: the model's own id, or the name that the user gave it.
        model: What gives the vectors.
        given: How the user gave it, for messages.
        is_named: Whether the user gave the name.
    """

    name: str
    model: Model
    given: str
    is_named: bool = False


def load_models(
    models: Any, *, names: str | Sequence[str] | None = None, resolve: Resolve | None = None
) -> list[NamedModel]:
    """Make every model of a run ready to embed; nothing heavy is loaded yet.

    Args:
        models: One model, a list of them, or a mapping from names to them. A model is a MODEL string (see
            `model_adapters.load_model`), an object with `encode`, a frame of vectors indexed by gene identifiers, a
            mapping from identifier to vector, an AnnData, a Dataset with `symbol` and `embedding`, or a pair of
            identifiers and an (n, d) array. In a list, `{"name": model}` names one.
        names: One for each model, instead of its own.
        resolve: Maps identifiers of vectors to gene symbols; without it they are taken as they are.

    Returns:
        The models in the order given, each once. Files of vectors of one name have their folders in their names.

    Raises:
        AdapterError: A model does not exist, or is of none of these kinds.
        GeneBenchError: Two models have the same name, or no model was given.
    """
    named = [(name, model) for item in _listed(models) for name, model in _pairs(item)]
    if names is not None:
        named = _renamed(named, [names] if isinstance(names, str) else names)
    if not named:
        message = "no model was given; expected a MODEL such as 'bag-of-words', or vectors of your own"
        raise GeneBenchError(message)
    loaded: dict[object, NamedModel] = {}
    unnamed = Counter[str]()
    for name, model in named:
        # The same string twice is one model; each object is a model of its own.
        key = (name, model) if isinstance(model, str) else (name, id(model))
        if key not in loaded:
            loaded[key] = _load(name, model, resolve, unnamed)
    found = _told_apart(list(loaded.values()))
    _check_names(found)
    return found


def control_models(models: Sequence[NamedModel]) -> list[NamedModel]:
    """The controls of some models that are not among them: each model shuffled, and `CONTROLS`."""
    wrapped = [model for model in models if model.model.adapter not in CONTROL_ADAPTERS]
    shuffled = [
        NamedModel(f"shuffled:{model.name}", ShuffledVectors(model.model), f"shuffled:{model.given}")
        for model in wrapped
    ]
    names = {model.name for model in models}
    return [each for each in (*shuffled, *load_models(list(CONTROLS))) if each.name not in names]


def _renamed(named: Sequence[tuple[str | None, Any]], names: Sequence[str]) -> list[tuple[str | None, Any]]:
    if len(names) != len(named):
        message = f"{len(names)} names were given for {len(named)} models; give one --name (name=) for each, or none"
        raise GeneBenchError(message)
    return [(name, model) for name, (_, model) in zip(names, named, strict=True)]


def _told_apart(models: Sequence[NamedModel]) -> list[NamedModel]:
    """The models; files of vectors with the same name get as much of their paths as distinguishes them."""
    told = []
    for model in models:
        paths = {id(each): _path(each) for each in models if each.name == model.name}
        name, path = model.name, paths[id(model)]
        if len(paths) > 1 and path is not None and None not in paths.values():
            others = [each for key, each in paths.items() if each is not None and key != id(model)]
            depth = next((n for n in range(1, len(path)) if path[-n:] not in [each[-n:] for each in others]), 0)
            name = "/".join([*path[-depth:], model.name]) if depth else name
        told.append(replace(model, name=name))
    return told


def _path(model: NamedModel) -> tuple[str, ...] | None:
    """Folders of a file of vectors; None where the user named the model, or it is something else."""
    path = getattr(model.model, "path", None)
    return path.resolve().parts[1:-1] if isinstance(path, Path) and not model.is_named else None


def _load(name: str | None, model: Any, resolve: Resolve | None, unnamed: Counter[str]) -> NamedModel:
    try:
        made = from_object(model, name=name, resolve=resolve)
    except UnknownModelError as error:
        if not isinstance(model, str) or model not in configs():
            raise
        message = f"{model!r} is a task, not a model; give each task after a -t of its own, in Python in tasks=[...]"
        raise GeneBenchError(message) from error
    if isinstance(model, str | Path):
        return NamedModel(made.model_id, made, str(model), is_named=name is not None)
    kind = type(model).__name__
    if name is None and isinstance(made, MemoryVectors):
        # Vectors in memory have no name of their own: the second is distinguished from the first by a number.
        unnamed[made.model_id] += 1
        count = unnamed[made.model_id]
        name = made.model_id if count == 1 else f"{made.model_id}-{count}"
    return NamedModel(name or made.model_id, made, f"a {kind}", is_named=name is not None)


def _listed(models: Any) -> Sequence[Any]:
    if isinstance(models, list):
        return models
    if isinstance(models, tuple) and not _is_identifiers_and_array(models):
        return models
    return [models]


def _pairs(item: Any) -> list[tuple[str | None, Any]]:
    """(name, model) of an item in a list of models."""
    if isinstance(item, Mapping) and item and not any(map(_is_vector, item.values())):
        wrong = next((name for name in item if not isinstance(name, str) or not name.strip()), None)
        if wrong is not None:
            message = f"a model is named {wrong!r}; expected a non-empty string"
            raise GeneBenchError(message)
        return list(item.items())
    return [(None, item)]


def _is_vector(value: Any) -> bool:
    """Whether a value is one vector: a flat list, tuple, array or tensor of numbers."""
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(number, Real) for number in value[:3])
    return getattr(value, "ndim", 0) == 1 and not hasattr(value, "index")


def _is_identifiers_and_array(value: tuple[Any, ...]) -> bool:
    return len(value) == 2 and getattr(value[1], "ndim", 0) == 2 and not hasattr(value[1], "columns")


def _check_names(models: Iterable[NamedModel]) -> None:
    first: dict[str, NamedModel] = {}
    for model in models:
        other = first.setdefault(model.name, model)
        if other is not model:
            message = (
                f"{other.given} and {model.given} are both named {model.name}, so their results would overwrite each"
                ' other; give one of them another name: {"name": MODEL} or name= in Python, --name on the command line'
            )
            raise GeneBenchError(message)
