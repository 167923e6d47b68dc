"""One `datasets` builder per curated source; one config per task. Importing it loads none of the heavy libraries."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from builders.audit import Audit
    from builders.base import FRAME_VERSION, GeneTaskBuilder
    from builders.catalog import BUILDERS, Built, builder_of, cached, configs, load, select
    from builders.config import DATASET_NAME, ENTITY_COLUMNS, TableConfig, TaskConfig, entity_keys
    from builders.errors import BuilderError
    from builders.folds import FOLD_SCHEME, N_FOLDS, assign_folds
    from builders.label_tasks import label_slugs, subtasks
    from builders.raw_files import RawFile, RawFiles, Source
    from builders.symbols import SymbolResolver
    from builders.tracing import Trace, trace
    from builders.user_builders import is_builder_spec

_MODULES = {
    "audit": ("Audit",),
    "base": ("FRAME_VERSION", "GeneTaskBuilder"),
    "catalog": ("BUILDERS", "Built", "builder_of", "cached", "configs", "load", "select"),
    "config": ("DATASET_NAME", "ENTITY_COLUMNS", "TableConfig", "TaskConfig", "entity_keys"),
    "errors": ("BuilderError",),
    "folds": ("FOLD_SCHEME", "N_FOLDS", "assign_folds"),
    "raw_files": ("RawFile", "RawFiles", "Source"),
    "label_tasks": ("label_slugs", "subtasks"),
    "symbols": ("SymbolResolver",),
    "tracing": ("Trace", "trace"),
    "user_builders": ("is_builder_spec",),
}
_ORIGIN = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "BUILDERS",
    "DATASET_NAME",
    "ENTITY_COLUMNS",
    "FOLD_SCHEME",
    "FRAME_VERSION",
    "N_FOLDS",
    "Audit",
    "BuilderError",
    "Built",
    "GeneTaskBuilder",
    "RawFile",
    "RawFiles",
    "Source",
    "SymbolResolver",
    "TableConfig",
    "TaskConfig",
    "Trace",
    "assign_folds",
    "builder_of",
    "cached",
    "configs",
    "entity_keys",
    "is_builder_spec",
    "label_slugs",
    "load",
    "select",
    "subtasks",
    "trace",
]


def __getattr__(name: str) -> Any:
    if name not in _ORIGIN:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(f"builders.{_ORIGIN[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
