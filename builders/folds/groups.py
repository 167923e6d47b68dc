"""Folds that keep a group of entities together: families to folds of like labels, whole chromosomes to fixed folds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from builders.errors import TaskDataError
from builders.folds.assignment import N_FOLDS, hash_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["CHROMOSOME_FOLDS", "assign_groups"]

# By number of protein-coding genes (HGNC of October 2024), largest first, each to the fold with the fewest so far; that
# gives 3,730 to 3,982 genes a fold. Written down, so that it is the same for all tasks and every release of HGNC.
CHROMOSOME_FOLDS = {
    name: fold
    for fold, names in enumerate(("1 X XY 10 13", "19 7 4 15 18", "11 12 9 14 21", "2 6 5 20 22", "17 3 16 8 Y MT"))
    for name in names.split()
}
"""Chromosome, as in the gene table, to its fold; the pseudoautosomal genes ("XY") go with X."""


def assign_groups(
    groups: Sequence[str], labels: Sequence[Sequence[int]] | None = None, *, seed: int | None = None
) -> npt.NDArray[np.int8]:
    """Fold number (0 to 4) of every entity, one for all entities of a group.

    Groups are placed one after the other, the largest first and equal ones in the order of a seeded hash of their name.
    Each goes to the fold where the largest share would be least: of the shares of all entities, and of those with each
    label that the group has, which the fold would then hold. Of equals, it is the fold with the fewest entities, then
    the first.

    Args:
        groups: Name of each entity's group.
        labels: Label numbers of each entity, to balance; None balances the number of entities only.
        seed: Of the hash. Default: that of the column; others are for repeats.

    Returns:
        (n,) int8, aligned with `groups`.

    Raises:
        TaskDataError: Fewer groups than folds.

    >>> assign_groups(["a", "a", "a", "b", "b", "c", "d", "e"]).tolist()
    [0, 0, 0, 1, 1, 3, 2, 4]
    """
    import numpy as np

    members: dict[str, list[int]] = defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    if len(members) < N_FOLDS:
        message = f"its entities are in {len(members)} group(s), but {N_FOLDS} folds need at least {N_FOLDS}"
        raise TaskDataError(message)
    every = -1  # stands for all entities among the label numbers
    cells = [(every,)] * len(groups) if labels is None else [(every, *cell) for cell in labels]
    total = Counter(label for cell in cells for label in cell)
    held: list[Counter[int]] = [Counter() for _ in range(N_FOLDS)]
    folds = np.empty(len(groups), dtype=np.int8)
    for group in sorted(members, key=lambda name: (-len(members[name]), hash_of(name, seed))):
        own = Counter(label for row in members[group] for label in cells[row])

        def largest_share(fold: int, own: Counter[int] = own) -> tuple[float, int]:
            share = max((held[fold][label] + count) / total[label] for label, count in own.items())
            return share, held[fold][every]

        chosen = min(range(N_FOLDS), key=largest_share)
        held[chosen].update(own)
        folds[members[group]] = chosen
    return folds
