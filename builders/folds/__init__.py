"""Folds of tasks, of every scheme: the only package that makes any. Importing it loads none of the heavy libraries."""

from builders.folds.assignment import FOLD_SCHEME, N_FOLDS, assign_folds
from builders.folds.groups import CHROMOSOME_FOLDS, assign_groups
from builders.folds.schemes import (
    PUBLISHED,
    SCHEMES,
    FoldColumns,
    GeneGroups,
    Scheme,
    TaskRows,
    assign,
    family_column,
    fold_columns,
)

__all__ = [
    "CHROMOSOME_FOLDS",
    "FOLD_SCHEME",
    "N_FOLDS",
    "PUBLISHED",
    "SCHEMES",
    "FoldColumns",
    "GeneGroups",
    "Scheme",
    "TaskRows",
    "assign",
    "assign_folds",
    "assign_groups",
    "family_column",
    "fold_columns",
]
