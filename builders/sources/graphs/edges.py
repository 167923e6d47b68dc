"""What the sources of edges share: identifiers to symbols, one row for each pair, and what was lost, counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from builders.base import GeneTaskBuilder
from builders.config import TableConfig
from builders.errors import TaskDataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EDGE_COLUMNS", "EdgesBuilder", "edges_config"]

EDGE_COLUMNS = {"source": "string", "target": "string", "weight": "float64", "relation": "string"}
INTERACTS = "interacts_with"


def edges_config(
    name: str, description: str, columns: Mapping[str, str] = MappingProxyType({}), files: tuple[str, ...] = ()
) -> TableConfig:
    """Config of a table of edges: `source`, `target`, `weight`, `relation`, and columns of the source's own."""
    return TableConfig(name=name, description=description, features={**EDGE_COLUMNS, **columns}, files=files)


class EdgesBuilder(GeneTaskBuilder):
    """A table of edges. Those between genes have no direction: each pair stands once, in alphabetical order."""

    BUILDER_CONFIGS: ClassVar[list[Any]] = []

    def gene_edges(self, pairs: pd.DataFrame, values: Sequence[str] = ("weight",)) -> pd.DataFrame:
        """Undirected edges between current symbols.

        Args:
            pairs: Columns `a` and `b`, identifiers of genes as the source has them, perhaps `a_alt` and `b_alt`, tried
                where the first is unknown, and `values`.
            values: Columns of numbers. Of several rows of one pair the largest of each stands.

        Returns:
            `source`, `target`, `values`, `relation`, sorted by pair.

        Raises:
            TaskDataError: No edge is left.
        """
        import numpy as np

        # Parsing may have gone over some rows already.
        self.audit.rows_read = self.audit.rows_read or len(pairs)
        ends = {}
        for end in ("a", "b"):
            found = self.resolver().resolve(pairs[end].tolist(), by=self.RESOLVE_BY)
            if f"{end}_alt" in pairs:
                found = found.or_else(self.resolver().resolve(pairs[f"{end}_alt"].tolist(), by=self.RESOLVE_BY))
            ends[end] = found
        self.audit.add_resolution(ends["a"] + ends["b"])
        names = np.column_stack([np.array(ends[end].symbols, dtype=object) for end in ("a", "b")])
        known = np.array([one is not None and two is not None for one, two in names], dtype=bool)
        self.audit.rows_unmapped = int((~known).sum())
        names = np.sort(names[known], axis=1)
        rows = pairs.loc[known, list(values)].assign(source=names[:, 0], target=names[:, 1])
        own = rows["source"] == rows["target"]
        if own.any():
            self.audit.notes.append(f"{int(own.sum()):,} rows join a gene with itself and are left out")
        rows = rows[~own]
        edges = rows.groupby(["source", "target"], as_index=False, sort=True)[list(values)].max()
        self.audit.duplicates_collapsed = len(rows) - len(edges)
        if edges.empty:
            message = (
                f"{self.config.name}: of {len(pairs):,} edges none joins two known genes"
                f" ({', '.join(pairs['a'].head(3))}); expected Entrez, Ensembl or HGNC identifiers of human genes"
            )
            raise TaskDataError(message)
        edges["relation"] = INTERACTS
        return edges[["source", "target", *values[:1], "relation", *values[1:]]]
