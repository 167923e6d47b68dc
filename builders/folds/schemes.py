"""The schemes by which entities of a task are held out together, each a column of the task."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builders.config import ENTITY_COLUMNS, Entity, entity_keys
from builders.errors import TaskDataError
from builders.folds.assignment import FOLD_SCHEME, N_FOLDS, assign_folds
from builders.folds.groups import CHROMOSOME_FOLDS, assign_groups

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "PUBLISHED",
    "SCHEMES",
    "FoldColumns",
    "GeneGroups",
    "Scheme",
    "TaskRows",
    "assign",
    "family_column",
    "fold_columns",
]

SYMBOL, DISEASE = "symbol", "disease_id"
PUBLISHED = "published"
UNUSED = -1
"""In a fold column: no split uses the entity, neither to train nor to test."""


@dataclass(frozen=True)
class Scheme:
    """One way to hold entities out together.

    Args:
        name: Value of `--split`.
        entities: Kinds of task that can have it.
        rule: What a result records, before the seed; a change of the rule is a new name.
        needs: What must be known of genes: "family", "chromosome" or nothing.
        repeatable: Whether other seeds give other folds.
    """

    name: str
    entities: tuple[Entity, ...]
    rule: str
    needs: str = ""
    repeatable: bool = True

    @property
    def column(self) -> str:
        """Column of the task that holds it."""
        return {"random": "fold", PUBLISHED: "split"}.get(self.name, f"fold_{self.name}")

    def recorded(self, repeats: int = 1) -> str:
        """The rule with its seeds, as a result has it.

        >>> SCHEMES["random"].recorded(), SCHEMES["family"].recorded(4), SCHEMES["chromosome"].recorded(4)
        ('5-fold-sha256-contiguous-seed0', '5-fold-family-balanced-seed0..3', '5-fold-chromosome')
        """
        return self.rule + ("" if not self.repeatable else "-seed0" if repeats == 1 else f"-seed0..{repeats - 1}")


_ALL = (
    Scheme("random", ("gene", "gene_pair", "gene_disease", "sequence"), FOLD_SCHEME.removesuffix("-seed0")),
    Scheme("family", ("gene", "gene_disease"), "5-fold-family-balanced", needs="family"),
    Scheme("chromosome", ("gene", "gene_disease"), "5-fold-chromosome", needs="chromosome", repeatable=False),
    Scheme("gene_disjoint", ("gene_pair",), "5-block-genes-sha256-contiguous"),
    Scheme("family_disjoint", ("gene_pair",), "5-block-families-balanced", needs="family"),
    Scheme("disease_disjoint", ("gene_disease",), "5-fold-diseases-balanced"),
    # Trained on the part "train"; the part "test" is scored by its folds, so that a score has a spread.
    Scheme(PUBLISHED, ("gene",), "published-test-in-fifths", repeatable=False),
)
SCHEMES: Mapping[str, Scheme] = {scheme.name: scheme for scheme in _ALL}
"""Name -> scheme; `random` is the column `fold` that every task has, `published` the part of a task that has parts."""


@dataclass(frozen=True)
class GeneGroups:
    """What schemes depend on besides the entities, as far as the files at hand give it.

    Args:
        families: Symbol -> family; a gene that is not there is a family of its own. None where nothing is known.
        chromosomes: Symbol -> chromosome as in the gene table. None where nothing is known.
        absent: "family" or "chromosome" -> why it is not known.
    """

    families: Mapping[str, str] | None = None
    chromosomes: Mapping[str, str] | None = None
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskRows:
    """What folds are made from.

    Args:
        entities: Entity column -> (n,) identifiers.
        labels: (n,) label numbers of each entity, to balance; None for regression.
        classes: (n,) name of the one class of each entity, to stratify; None where it has none or several labels.
        families: Gene column -> (n,) family of the gene; empty where families are not known.
        chromosomes: (n,) chromosome of the gene; empty where they are not known.
    """

    entities: Mapping[str, Sequence[str]]
    labels: Sequence[Sequence[int]] | None = None
    classes: Sequence[str] | None = None
    families: Mapping[str, Sequence[str]] = field(default_factory=dict)
    chromosomes: Sequence[str] = ()


@dataclass(frozen=True)
class FoldColumns:
    """The fold columns of a task, `fold` first, and what a reader should know of them.

    Args:
        folds: Fold column -> (n,) folds, or (n, 2) blocks of the genes of a pair.
        families: Family column (`family`; `family_a`, `family_b`) -> (n,) names.
        absent: Scheme that this kind of task could have -> why it has not.
        facts: Families, relatives across folds and untested pairs, for the audit.
    """

    folds: Mapping[str, npt.NDArray[Any]]
    families: Mapping[str, Sequence[str]]
    absent: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)


def family_column(symbol_column: str) -> str:
    """Name of the column with the families of a gene column.

    >>> family_column("symbol"), family_column("symbol_b")
    ('family', 'family_b')
    """
    return f"family{symbol_column.removeprefix(SYMBOL)}"


def assign(name: str, rows: TaskRows, *, seed: int | None = None) -> npt.NDArray[Any]:
    """The folds of a scheme.

    Args:
        name: A key of `SCHEMES`.
        rows: Of the task; with families or chromosomes where the scheme needs them.
        seed: Default: that of the column; others are for repeats.

    Returns:
        (n,) fold of each entity, or (n, 2) block of each gene of a pair; `UNUSED` where it is in no split.

    Raises:
        TaskDataError: Fewer entities or groups than folds.
    """
    import numpy as np

    if name == "random":
        return assign_folds(entity_keys(rows.entities.values()), rows.classes, seed=seed)
    if name == "family":
        return assign_groups(rows.families[SYMBOL], rows.labels, seed=seed)
    if name == "disease_disjoint":
        return assign_groups(rows.entities[DISEASE], rows.labels, seed=seed)
    if name == "chromosome":
        folds = np.array([CHROMOSOME_FOLDS.get(place, UNUSED) for place in rows.chromosomes], dtype=np.int8)
        if (filled := np.unique(folds[folds != UNUSED]).size) < N_FOLDS:
            message = f"its genes lie on the chromosomes of {filled} of {N_FOLDS} folds"
            raise TaskDataError(message)
        return folds
    family = {
        gene: rows.families[column][row] if name == "family_disjoint" else gene
        for column in rows.entities
        for row, gene in enumerate(rows.entities[column])
    }
    genes = sorted(family)
    blocks = (
        assign_groups([family[gene] for gene in genes], seed=seed)
        if name == "family_disjoint"
        else assign_folds(genes, seed=seed)
    )
    block = dict(zip(genes, blocks.tolist(), strict=True))
    cells = np.array([[block[gene] for gene in column] for column in rows.entities.values()], dtype=np.int8).T
    if (filled := np.unique(cells[cells[:, 0] == cells[:, 1], 0]).size) < N_FOLDS:
        message = f"only {filled} of {N_FOLDS} blocks of genes have a pair within them"
        raise TaskDataError(message)
    return cells


def fold_columns(rows: TaskRows, entity: Entity, groups: GeneGroups, *, without: Mapping[str, str]) -> FoldColumns:
    """All fold columns that can be made.

    Args:
        rows: Entities and labels.
        entity: Kind of task.
        groups: Families and chromosomes.
        without: Scheme -> why this task cannot have it.

    Raises:
        TaskDataError: Fewer entities than folds.
    """
    genes = [column for column in ENTITY_COLUMNS[entity] if column.startswith(SYMBOL)]
    families: dict[str, list[str]] = {}
    if groups.families is not None:
        known = groups.families
        families = {column: [known.get(gene, gene) for gene in rows.entities[column]] for column in genes}
    places = groups.chromosomes
    chromosomes = [] if places is None else [places.get(gene, "") for gene in rows.entities[genes[0]]] if genes else []
    filled = TaskRows(rows.entities, rows.labels, rows.classes, families, chromosomes)
    folds: dict[str, npt.NDArray[Any]] = {"fold": assign("random", filled)}
    absent: dict[str, str] = {}
    for scheme in _ALL[1:]:
        if entity not in scheme.entities or scheme.name == PUBLISHED:
            continue
        try:
            if reason := without.get(scheme.name) or groups.absent.get(scheme.needs):
                absent[scheme.name] = reason
            else:
                folds[scheme.column] = assign(scheme.name, filled)
        except TaskDataError as error:
            absent[scheme.name] = str(error)
    named = {family_column(column): names for column, names in families.items()}
    return FoldColumns(folds, named, absent, _facts(rows.entities, families, folds))


def _facts(
    entities: Mapping[str, Sequence[str]],
    families: Mapping[str, Sequence[str]],
    folds: Mapping[str, npt.NDArray[Any]],
) -> dict[str, float]:
    facts: dict[str, float] = {}
    for column, values in folds.items():
        if values.ndim == 2:
            facts[f"untested_{column.removeprefix('fold_')}"] = int((values[:, 0] != values[:, 1]).sum())
        elif unused := int((values == UNUSED).sum()):
            facts[f"unused_{column.removeprefix('fold_')}"] = unused
    if SYMBOL in families:
        sizes = Counter(dict(zip(entities[SYMBOL], families[SYMBOL], strict=True)).values())
        facts |= {"families": len(sizes), "largest_family": max(sizes.values())}
        for column, values in folds.items():
            name = "random" if column == "fold" else column.removeprefix("fold_")
            facts[f"related_{name}"] = round(related_share(families[SYMBOL], values), 4)
    return facts


def related_share(families: Sequence[str], folds: npt.NDArray[Any]) -> float:
    """Share of the tested genes that have a relative among the genes trained on.

    >>> import numpy as np
    >>> related_share(["a", "a", "b", "b", "c"], np.array([0, 1, 2, 2, 3]))
    0.4
    """
    there: dict[str, set[int]] = defaultdict(set)
    for family, fold in zip(families, folds.tolist(), strict=True):
        there[family].add(fold)
    tested = [family for family, fold in zip(families, folds.tolist(), strict=True) if fold != UNUSED]
    related = sum(len(there[family] - {UNUSED}) > 1 for family in tested)
    return related / len(tested) if tested else 0.0
