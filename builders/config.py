"""What a task or table is, as plain data: everything that is known before a raw file is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from builders.errors import TaskDataError
from builders.text import did_you_mean

__all__ = [
    "DATASET_NAME",
    "ENTITY_COLUMNS",
    "Category",
    "Config",
    "Duplicates",
    "Entity",
    "Family",
    "TableConfig",
    "Target",
    "TaskConfig",
    "entity_keys",
]

DATASET_NAME = "gene-bench"
Target = Literal["binary", "multiclass", "multilabel", "regression"]
Entity = Literal["gene", "gene_pair", "gene_disease", "sequence"]
Category = Literal[
    "histone_modification", "promoter", "enhancer", "dna_methylation", "splice_site", "lncrna", "mouse_enhancer",
    "tf_binding", "species", "regulatory", "virus_phage", "coding", "chromatin_accessibility",
]  # fmt: skip
"""Families of tasks about DNA sequences: the categories of arXiv 2606.04525."""
Family = Literal["genomic", "regulatory", "localization", "biological_process", "protein", "user"] | Category
Duplicates = Literal["agree", "union"]
ENTITY_COLUMNS: dict[Entity, tuple[str, ...]] = {
    "gene": ("symbol",),
    "gene_pair": ("symbol_a", "symbol_b"),
    "gene_disease": ("symbol", "disease_id"),
    "sequence": ("sequence_id",),
}
# A folder of the cache has this name; "/" would be read as the start of a sub-task's label.
_NAME = re.compile(r"\w[\w.-]*", re.ASCII)
# Fields that no row depends on: nobody has to rebuild data because a description got better.
_DESCRIPTIVE = frozenset(
    ("description", "family", "figure2_family", "from_annotation", "gene_table", "ranked", "paper_name", "source")
    + ("collection", "upstream_id", "species", "sizes", "made_by", "bias", "on_request")
)


def entity_keys(columns: Iterable[Sequence[str]]) -> list[str]:
    r"""One string for each entity, from the columns that name it: what folds and hashes go by.

    >>> entity_keys([["BRCA1", "TP53"], ["EFO_1", "EFO_2"]])
    ['BRCA1\tEFO_1', 'TP53\tEFO_2']
    """
    return ["\t".join(key) for key in zip(*columns, strict=True)]


@dataclass
class Config:
    """What tasks and tables have in common; see `TaskConfig` and `TableConfig`."""

    name: str
    version: str = "1.0.0"
    description: str = ""
    license: str = ""
    source: str = ""
    files: tuple[str, ...] = ()

    def row_fields(self) -> dict[str, Any]:
        """The fields that rows depend on, which are part of the dataset's hash."""
        return {name: value for name, value in vars(self).items() if name not in _DESCRIPTIVE}

    def validate(self) -> None:
        """Check what the author of a config can get wrong.

        Raises:
            TaskDataError: The name cannot be that of a folder, or a field has a value that it cannot have.
        """
        if not _NAME.fullmatch(self.name):
            message = f"task name {self.name!r}; expected letters, digits, '_', '.' or '-', such as source_task"
            raise TaskDataError(message)


@dataclass
class TaskConfig(Config):
    """Everything there is to say about a task; published tasks are never edited, a fix is a new version.

    Args:
        name: Task id, `<source>_<task>` in snake case.
        version: Version of the task's meaning: raise it when rows, labels or folds would differ for the same input.
        description: What a label says about a gene, in one sentence.
        target: "binary", "multiclass", "multilabel" or "regression".
        entity: What a row is about; its columns are `ENTITY_COLUMNS[entity]`.
        family: Family of the paper's tables S1 to S5, category of a task about sequences, or "user" for a table of the
            user's own.
        figure2_family: Family in the paper's Figure 2 and Table 1, where it differs.
        labels: Names where their order matters: (negative, positive) of a binary task.
        column: Column, file or set of the source that holds the labels.
        cells: What a cell of `column` says -> its label, where cells are not the labels themselves; rows with other
            cells are left out and counted. Without `labels`, its labels in their order.
        files: Keys of the source's files that the task needs. Default: all.
        duplicates: What becomes of several rows of one entity: "agree" or "union" (see `one_row_per_entity`).
        gene_table: Config that holds the genes of this task, whose vectors are scored.
        no_splits: Scheme of `builders.folds.SCHEMES` -> why the task cannot be split by it.
        from_annotation: Whether a negative may be a gene that nobody has annotated yet.
        ranked: Whether the task counts in a ranking (the embedded starter tasks do not).
        on_request: Whether it is built and run only when it is named, because not everybody may accept its terms.
        made_by: Who made the labels, and from what, for docs/tasks.md.
        bias: What a label depends on besides the property.
        paper_name: Name in arXiv 2412.04075, if the task is from there.
        paper_size: Its number of entities there.
        license: Licence of the rows. Default: the source's.
        source: Set by the builder.
    """

    # 1.1.0: folds are contiguous parts of the hash order.
    version: str = "1.1.0"
    target: Target = "binary"
    entity: Entity = "gene"
    family: Family = "biological_process"
    figure2_family: Family | None = None
    labels: tuple[str, ...] | None = None
    column: str | None = None
    cells: Mapping[str, str] = field(default_factory=dict)
    duplicates: Duplicates = "agree"
    gene_table: str = "genes"
    no_splits: Mapping[str, str] = field(default_factory=dict)
    from_annotation: bool = False
    ranked: bool = True
    on_request: bool = False
    made_by: str = ""
    bias: str = ""
    paper_name: str | None = None
    paper_size: int | None = None

    def __post_init__(self) -> None:
        self.figure2_family = self.figure2_family or self.family
        self.labels = self.labels or tuple(dict.fromkeys(self.cells.values())) or None

    def row_fields(self) -> dict[str, Any]:
        """The fields that rows depend on; without `cells` where there are none, as before that field existed."""
        return {name: value for name, value in super().row_fields().items() if name != "cells" or value}

    def validate(self) -> None:
        """Check the name, and that target, entity, family and duplicates have values that they can have."""
        super().validate()
        for name, kind in (("target", Target), ("entity", Entity), ("family", Family), ("duplicates", Duplicates)):
            given, known = getattr(self, name), _values(kind)
            if given not in known:
                hint = did_you_mean(str(given), known)
                message = f"{self.name}: {name} is {given!r}, expected {', '.join(known)}{hint}"
                raise TaskDataError(message)


def _values(kind: Any) -> tuple[str, ...]:
    """Values of a Literal, or of several joined by |."""
    return tuple(dict.fromkeys(value for each in get_args(kind) for value in (get_args(each) or (each,))))


@dataclass
class TableConfig(Config):
    """A table that tasks refer to (the genes), not a task.

    Args:
        name: Config name.
        version: Version of the columns' meaning.
        description: What a row is.
        features: Column -> type, as a name such as "string" or "float64", or a list with one such name where a cell
            holds several values. A column that `rows()` does not return, since its source is absent, is not in the
            table.
        files: Keys of the source's files that the table needs. Default: all.
        license: Licence of the rows. Default: the source's.
        source: Set by the builder.
    """

    features: Mapping[str, Any] | None = None
