"""The Gene Ontology: terms, relations between them, annotations of genes, and the same with STRING's edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from builders.config import TableConfig
from builders.errors import TaskDataError
from builders.raw_files import Source
from builders.readers.obo import Ontology, read_obo
from builders.sources.go.annotations import read_annotations
from builders.sources.go.source import GO
from builders.sources.graphs.edges import EDGE_COLUMNS, EdgesBuilder, edges_config
from builders.sources.graphs.string import STRING_GRAPH, StringBuilder

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ANNOTATED", "GoGraphBuilder"]

ANNOTATED = "annotated_to"
# Relations that GAF 2.2 names for every row say no more than that the gene is annotated.
_PLAIN = frozenset(("", "-", "involved_in", "enables", "part_of", "located_in", "is_active_in"))
_EVIDENCE = {"evidence": "string", "assigned_by": "string"}
_FILES = ("ontology", "annotations")


class GoGraphBuilder(EdgesBuilder):
    """Edges from a gene to its terms, and from a term to those it is in a relation to.

    A row with the qualifier NOT says that a gene does not have a function, and is left out. Terms that are no longer in
    use are left out with their annotations; secondary ids become the term that they were merged into. One edge stands
    for all rows of a gene, a term and a relation, with their evidence codes and their assigners, "|" between.
    """

    SOURCE = GO
    # A name that is an alias of several genes is not guessed; an accession outlives names.
    BUILDER_CONFIGS = [  # noqa: RUF012
        edges_config(
            "graph_go",
            "Annotations of genes with terms of the Gene Ontology, and the relations between terms.",
            _EVIDENCE,
            _FILES,
        ),
        edges_config(
            "graph_string_go",
            "The edges of graph_go and of graph_string in one graph.",
            _EVIDENCE,
            _FILES,
        ),
        TableConfig(
            name="go_terms",
            description="Terms of the Gene Ontology in use, with the text that language models read.",
            features=dict.fromkeys(("term", "name", "namespace", "definition", "description"), "string"),
            files=("ontology",),
        ),
    ]

    def inputs(self, config: TableConfig) -> list[tuple[Source, str]]:  # noqa: D102
        more = [(STRING_GRAPH, key) for key in STRING_GRAPH.files] if config.name == "graph_string_go" else []
        return [*super().inputs(config), *more]

    def rows(self, config: TableConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        ontology: Ontology = self.raw.once((self.path("ontology"), "obo"), lambda: read_obo(self.path("ontology")))
        self.audit.notes.append(f"{ontology.n_obsolete:,} obsolete terms are left out, {len(ontology.terms):,} stay")
        if config.name == "go_terms":
            return described(ontology)
        parts = [self._annotations(ontology), _relations(ontology)]
        if config.name == "graph_string_go":
            made = StringBuilder("graph_string", raw=self.raw)
            interactions = made.rows(made.config)
            self.audit.notes += [f"STRING: {note}" for note in made.audit.notes]
            self.audit.rows_unmapped += made.audit.rows_unmapped
            parts.append(interactions.assign(evidence="", assigned_by=""))
        return pd.concat(parts, ignore_index=True)[[*EDGE_COLUMNS, *_EVIDENCE]]

    def _annotations(self, ontology: Ontology) -> pd.DataFrame:
        """One row for each gene, term and relation."""
        path = self.path("annotations")
        read = self.raw.once((path, "annotations"), lambda: read_annotations(path))
        self.audit.rows_read = read.n_rows
        if read.n_other:
            self.audit.notes.append(f"{read.n_other:,} rows of other species are left out")
        self.audit.notes.append(
            f"{path.name} has no qualifiers: rows with NOT cannot be told from others"
            if read.n_not is None
            else f"{read.n_not:,} rows with the qualifier NOT are left out"
        )
        qualifier = read.table["qualifier"]
        rows = read.table.assign(relation=qualifier.where(~qualifier.isin(_PLAIN), ANNOTATED))
        rows = self._current(self._resolved(rows), ontology)
        if rows.empty:
            message = f"{path}: no annotation joins a known gene and a term of {self.path('ontology').name}"
            raise TaskDataError(message)
        keys = ["source", "target", "relation"]
        joined: Mapping[str, Callable[[pd.Series], str]] = dict.fromkeys(_EVIDENCE, _joined)
        found = rows.groupby(keys, as_index=False, sort=True).agg(joined)
        self.audit.notes.append(
            f"{len(found):,} annotations of {found['source'].nunique():,} genes with"
            f" {found['target'].nunique():,} terms from {len(rows):,} rows"
        )
        return found.assign(weight=1.0)

    def _resolved(self, rows: pd.DataFrame) -> pd.DataFrame:
        """With the column `source`, for the rows of known genes."""
        import pandas as pd

        found = self.resolver().resolve(rows["gene"].tolist())
        found = found.or_else(self.resolver().resolve(rows["gene_alt"].tolist()))
        self.audit.add_resolution(found)
        rows = rows.assign(source=pd.Series(found.symbols, index=rows.index, dtype=object))
        known = rows["source"].notna()
        self.audit.rows_unmapped += int((~known).sum())
        return rows[known]

    def _current(self, rows: pd.DataFrame, ontology: Ontology) -> pd.DataFrame:
        """With the column `target`, for the rows of terms in use."""
        target = rows["term"].map(lambda term: ontology.merged.get(term, term))
        known = target.isin(ontology.terms.keys())
        if not known.all():
            lost = sorted(set(target[~known]))
            self.audit.notes.append(
                f"{int((~known).sum()):,} annotations name {len(lost):,} terms that are obsolete or unknown, such as"
                f" {lost[0]}"
            )
        return rows.assign(target=target)[known]


def described(ontology: Ontology) -> pd.DataFrame:
    """Terms, and what a text model reads of each: its name and its definition."""
    import pandas as pd

    terms = pd.DataFrame(
        [(each.id, each.name, each.namespace, each.definition) for each in ontology.terms.values()],
        columns=["term", "name", "namespace", "definition"],
    )
    return terms.assign(description=terms["name"] + (": " + terms["definition"]).where(terms["definition"] != "", ""))


def _relations(ontology: Ontology) -> pd.DataFrame:
    """From the narrower term to the one above it."""
    import pandas as pd

    rows = [(each.id, other, kind) for each in ontology.terms.values() for kind, other in each.parents]
    found = pd.DataFrame(rows, columns=["source", "target", "relation"]).sort_values(["source", "target", "relation"])
    return found.assign(weight=1.0, evidence="", assigned_by="")


def _joined(cells: pd.Series) -> str:
    return "|".join(sorted(set(cells)))
