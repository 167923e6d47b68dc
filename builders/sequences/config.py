"""What a task about sequences says about itself, in addition to what every task does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builders.config import Entity, Family, TaskConfig

__all__ = ["PARTS", "SequenceConfig"]

PARTS = ("train", "validation", "test")
"""Parts of a task, in the order of its rows."""


@dataclass
class SequenceConfig(TaskConfig):
    """A task about sequences; its `family` is the category in which it is compared.

    Args:
        collection: Publication that the rows are from.
        upstream_id: Name in the benchmark that the task is from.
        species: Whose sequences they are.
        sizes: Part -> its number of rows, where that is known; a build says where its files differ.
    """

    version: str = "1.0.0"
    entity: Entity = "sequence"
    family: Family = "species"
    # It does not count when models are ranked by what they know about genes.
    ranked: bool = False
    collection: str = ""
    upstream_id: str = ""
    species: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def category(self) -> str:
        """The category, by the name that the benchmark has for it."""
        return self.family
