"""The adapters there are, and how a MODEL string finds one."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Protocol

from model_adapters.base import AdapterInfo, Model, Resolve, UserModel, file_sha256, wrong_attribute
from model_adapters.combined import CombinedVectors, ShuffledVectors
from model_adapters.controls import InputLength, Lookup, RandomVectors
from model_adapters.errors import ModelLoadError, UnknownModelError, did_you_mean, line_in, one_line
from model_adapters.files.dataset_vectors import SAVED, DatasetVectors
from model_adapters.files.formats import PLAIN_EXTENSIONS, extension_of
from model_adapters.files.memory import from_object
from model_adapters.files.precomputed import PrecomputedVectors, is_file_of_vectors, vector_files
from model_adapters.graph.access import told_by_graph
from model_adapters.graph.alone import Node2vec, Spectral
from model_adapters.graph.masking import Masked
from model_adapters.graph.propagation import Propagated
from model_adapters.hub import HUB_ID
from model_adapters.nuisance import Nuisance
from model_adapters.sequence.composition import GcContent, KmerFrequencies, OneHot
from model_adapters.sequence.dna.model import DnaModel
from model_adapters.sequence.protein import Esm2
from model_adapters.single_cell.expression import ExpressionProfile
from model_adapters.single_cell.models import CellPLM, Gene2vec, Geneformer, ScGPT
from model_adapters.text.bag_of_words import BagOfWords, TfIdf
from model_adapters.text.sentence_transformer import PRESETS, SentenceTransformerEncoder, is_model_folder


class Adapter(Protocol):
    """A class that makes models of what follows its name in a MODEL string."""

    adapter: ClassVar[str]
    info: ClassVar[AdapterInfo]

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Model:
        """Make the model of `ADAPTER:argument`."""


_CLASSES: tuple[type[Adapter], ...] = (
    BagOfWords,
    TfIdf,
    SentenceTransformerEncoder,
    Esm2,
    DnaModel,
    KmerFrequencies,
    GcContent,
    OneHot,
    Geneformer,
    ScGPT,
    CellPLM,
    Gene2vec,
    ExpressionProfile,
    PrecomputedVectors,
    DatasetVectors,
    RandomVectors,
    InputLength,
    Nuisance,
    Lookup,
)
ADAPTERS: dict[str, type[Adapter]] = {cls.adapter: cls for cls in _CLASSES}
"""Adapter name -> class; each has `info`, the line of `gene-bench models`."""

WRAPPERS = {cls.adapter: cls for cls in (ShuffledVectors, CombinedVectors, Masked, Propagated, Spectral, Node2vec)}
"""Adapters whose argument is the rest of the string: most wrap other models, and it holds MODEL strings."""


def describe() -> dict[str, AdapterInfo]:
    """Return name -> info of every adapter, preset and wrapper: the lines of `gene-bench models`."""
    presets = {name: preset.info for name, preset in PRESETS.items()}
    adapters = {name: cls.info for name, cls in ADAPTERS.items()}
    return {**presets, **adapters, **{name: cls.info for name, cls in WRAPPERS.items()}}


def trained_on(adapter: str, options: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Globs of the tasks whose labels are computed from what an adapter's vectors are made of, as far as is known.

    Args:
        adapter: its name.
        options: as a model records them; the models it is made of are in `parts`, its graph is in `graph`.

    >>> "hpa_rna_*" in trained_on("expression")
    True
    >>> trained_on("combined", {"parts": [{"adapter": "spectral", "options": {"graph": "go"}}]})
    ('go_*', 'gene2vec_gene_pairs')
    """
    if adapter == ShuffledVectors.adapter:
        # Each gene has the vector of another.
        return ()
    options = options or {}
    own = (*getattr(ADAPTERS.get(adapter), "trained_on", ()), *told_by_graph(str(options.get("graph", ""))))
    parts = [trained_on(part["adapter"], part["options"]) for part in options.get("parts", ())]
    return tuple(dict.fromkeys([*own, *(glob for globs in parts for glob in globs)]))


def load_model(spec: Any, *, resolve: Resolve | None = None) -> Model:
    """Turn a MODEL string, or an object that holds vectors or encodes, into a model for `embed`.

    MODEL is, in this order: a file of vectors, if one of this very name exists; a wrapper (`shuffled:MODEL`,
    `combined:scale=block,MODEL+MODEL`), which takes all that follows; `MODEL+MODEL`, the vectors of both side by side;
    an adapter or preset name, with its argument and options after a colon (`bag-of-words`, `random:seed=3`,
    `mpnet:input=summary`, `sentence-transformer:org/name@revision`); `file.py:Class`; a folder with a model; a Hub id.

    Args:
        spec: the MODEL string, or an object that `from_object` takes.
        resolve: maps the identifiers of a vectors file to gene symbols; without it they are taken as they are.

    Raises:
        UnknownModelError: the string names nothing that exists; the nearest name is suggested.
        ModelLoadError: a user's file or class does not load.

    >>> load_model("random:seed=3").model_id
    'random:seed=3'
    >>> load_model("shuffled:bag-of-words+random").model_id
    'shuffled:bag-of-words+random'
    """
    if not isinstance(spec, str):
        return from_object(spec, resolve=resolve)
    path = Path(spec).expanduser()
    if path.is_file() and extension_of(path):
        return PrecomputedVectors(path, resolve=resolve)
    name, _, argument = spec.partition(":")
    if name in WRAPPERS:
        return WRAPPERS[name].from_argument(argument, load=lambda part: load_model(part, resolve=resolve))
    if "+" in spec and not any(Path(name).expanduser().exists() for name in (spec, argument or spec)):
        return CombinedVectors.from_argument(spec, load=lambda part: load_model(part, resolve=resolve))
    if name in PRESETS:
        return ADAPTERS["sentence-transformer"].from_argument(PRESETS[name].argument(argument), resolve=resolve)
    if name in ADAPTERS:
        return ADAPTERS[name].from_argument(argument, resolve=resolve)
    file, _, class_name = spec.rpartition(":")
    if file.endswith(".py") or spec.endswith(".py"):
        return load_user_model(Path(file or spec).expanduser(), class_name if file else "")
    if is_file_of_vectors(spec):
        return PrecomputedVectors.from_argument(spec, resolve=resolve)
    looks_like_path = spec.startswith((".", "/", "~"))
    if spec and path.is_dir() and (looks_like_path or "/" not in spec) and (found := _vectors_in(path, resolve)):
        return found
    if spec and path.is_dir() and (looks_like_path or is_model_folder(path) or "/" not in spec):
        return SentenceTransformerEncoder(spec)
    if HUB_ID.fullmatch(spec) and "/" in spec and not looks_like_path:
        return SentenceTransformerEncoder(spec)
    if looks_like_path:
        siblings = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        message = f"no file or folder {spec}{did_you_mean(path.name, siblings)}"
        raise UnknownModelError(message)
    known = list(describe())
    message = (
        f"unknown model {spec!r}{did_you_mean(name, known)}; expected an adapter ({', '.join(known)}), "
        f"a Hub id (org/name), a model folder, a file of vectors ({', '.join(PLAIN_EXTENSIONS)}), file.py:Class, "
        "or several of these joined by +"
    )
    raise UnknownModelError(message)


def _vectors_in(folder: Path, resolve: Resolve | None) -> Model | None:
    """Return the vectors in a folder: a saved dataset, or a file that is not part of a model with weights."""
    if any((folder / name).is_file() for name in SAVED):
        return DatasetVectors(str(folder), resolve=resolve)
    if is_model_folder(folder) or not vector_files(folder):
        return None
    return PrecomputedVectors(folder, resolve=resolve)


def load_user_model(path: Path, class_name: str) -> UserModel:
    """Make the model of `file.py:Class`.

    Raises:
        UnknownModelError: no such file or class.
        ModelLoadError: the file or the class does not load, or an attribute of it is wrong.
    """
    if not path.is_file():
        siblings = [other.name for other in path.parent.glob("*.py")]
        message = f"no file {path}{did_you_mean(path.name, siblings)}"
        raise UnknownModelError(message)
    version = file_sha256(path)
    module = _run_file(path, version)
    cls = _find_class(module, class_name, where=path.name)
    where = f"{path.name}:{class_name}"
    if not callable(getattr(cls, "encode", None)) or "encode" in getattr(cls, "__abstractmethods__", ()):
        message = f"{where} has no method encode; add encode(self, batch) that returns an (n, d) array"
        raise ModelLoadError(message)
    try:
        model = cls()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        message = (
            f"{where} cannot be made without arguments ({one_line(error)}){line_in(path, error)}; give them defaults"
        )
        raise ModelLoadError(message) from error
    if wrong := wrong_attribute(model):
        message = f"{where}: {wrong}; set it on the class"
        raise ModelLoadError(message)
    return UserModel(model, path=path, code_sha256=version)


def _run_file(path: Path, version: str) -> ModuleType:
    # The hash in the name keeps two files of one name apart, and an edited file from its older self.
    name = f"gene_bench_model_{re.sub(r'[^0-9A-Za-z]', '_', path.stem)}_{version[-12:]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    # Dataclasses and pickle look their module up by name.
    sys.modules[name] = module
    try:
        # Not importlib's loader: its cached bytecode misses an edit within the same second.
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        message = (
            f"{path.name} cannot be imported ({one_line(error)}){line_in(path, error)}; run it with Python to see why"
        )
        raise ModelLoadError(message) from error
    return module


def _find_class(module: ModuleType, name: str, *, where: str) -> type[Any]:
    own = [key for key, value in vars(module).items() if inspect.isclass(value) and value.__module__ == module.__name__]
    found = getattr(module, name, None) if name else None
    if inspect.isclass(found):
        return found
    if found is not None:
        message = f"{where}:{name} is a {type(found).__name__}, expected a class"
        raise UnknownModelError(message)
    there = f"its classes are {', '.join(own)}" if own else "it defines no class"
    asked = f"has no class {name!r}{did_you_mean(name, own)}" if name else "needs a class: file.py:Class"
    message = f"{where} {asked}; {there}"
    raise UnknownModelError(message)
