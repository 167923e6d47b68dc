"""One `datasets` builder per curated source; one config per task."""

from builders.audit import Audit
from builders.base import DATASET_NAME, ENTITY_COLUMNS, GeneTaskBuilder, TableConfig, TaskConfig
from builders.catalog import BUILDERS, Built, builder_of, cached, configs, load, select
from builders.errors import BuilderError
from builders.folds import FOLD_SCHEME, N_FOLDS, assign_folds
from builders.raw_files import RawFile, RawFiles, Source
from builders.subtasks import label_slugs, subtasks
from builders.symbols import SymbolResolver
from builders.user_builders import names_builder

__all__ = [
    "BUILDERS",
    "DATASET_NAME",
    "ENTITY_COLUMNS",
    "FOLD_SCHEME",
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
    "assign_folds",
    "builder_of",
    "cached",
    "configs",
    "label_slugs",
    "load",
    "names_builder",
    "select",
    "subtasks",
]
