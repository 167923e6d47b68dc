"""The Gene Ontology: terms, relations between them, annotations of genes, and the same with STRING's edges."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from builders.config import TableConfig
from builders.errors import SourceFormatError, TaskDataError
from builders.raw_files import RawFile, Source
from builders.readers.archives import read_bytes
from builders.readers.tables import read_table
from builders.sources.graphs.edges import EDGE_COLUMNS, EdgesBuilder, edges_config
from builders.sources.graphs.obo import Ontology, read_obo
from builders.sources.graphs.string import STRING_GRAPH, StringBuilder

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ANNOTATED", "GO", "GoGraphBuilder"]

ANNOTATED = "annotated_to"
HUMAN = "taxon:9606"
GO = Source(
    name="go",
    title="Gene Ontology",
    homepage="https://geneontology.org",
    version="latest",
    releases="go.obo since 2019; GAF 2.1 and 2.2, or NCBI's gene2go",
    license="CC-BY-4.0",
    license_url="https://geneontology.org/docs/go-citation-policy/",
    redistributable=True,
    citation=(
        "The Gene Ontology Consortium. The Gene Ontology knowledgebase in 2023. Genetics. 2023;224(1):iyad031."
        " doi:10.1093/genetics/iyad031"
    ),
    files={
        "terms": RawFile(names=("go.obo", "go.obo.gz"), url="https://purl.obolibrary.org/obo/go.obo"),
        "annotations": RawFile(
            names=("goa_human.gaf.gz", "goa_human.gaf", "gene2go.gz", "gene2go_human_2022-09.tsv.gz"),
            url="https://current.geneontology.org/annotations/goa_human.gaf.gz",
        ),
    },
)
# GAF has no header; https://geneontology.org/docs/go-annotation-file-gaf-format-2.2/.
GAF = (
    *("db", "accession", "symbol", "qualifier", "term", "reference", "evidence", "with", "aspect", "name", "synonyms"),
    *("type", "taxon", "date", "assigned_by", "extension", "form"),
)
GAF_USED = ("accession", "symbol", "qualifier", "term", "evidence", "taxon", "assigned_by")
# Relations that GAF 2.2 names for every row say no more than that the gene is annotated.
_PLAIN = frozenset(("", "involved_in", "enables", "part_of", "located_in", "is_active_in"))
_EVIDENCE = {"evidence": "string", "assigned_by": "string"}


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
            **_EVIDENCE,
        ),
        edges_config(
            "graph_string_go",
            "The edges of graph_go and of graph_string in one graph.",
            **_EVIDENCE,
        ),
        TableConfig(
            name="go_terms",
            description="Terms of the Gene Ontology in use, with the text that language models read.",
            features=dict.fromkeys(("term", "name", "namespace", "definition", "description"), "string"),
            files=("terms",),
        ),
    ]

    def inputs(self, config: TableConfig) -> list[tuple[Source, str]]:  # noqa: D102
        more = [(STRING_GRAPH, key) for key in STRING_GRAPH.files] if config.name == "graph_string_go" else []
        return [*super().inputs(config), *more]

    def rows(self, config: TableConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        ontology: Ontology = self.raw.once((self.path("terms"), "ontology"), lambda: read_obo(self.path("terms")))
        self.audit.notes.append(f"{ontology.n_obsolete:,} obsolete terms are left out, {len(ontology.terms):,} stay")
        if config.name == "go_terms":
            return ontology.terms.assign(description=described(ontology.terms))
        relations = ontology.relations.assign(weight=1.0, evidence="", assigned_by="")
        parts = [self._annotations(ontology), relations]
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
        rows = (self._gaf if ".gaf" in path.name else self._gene2go)(path)
        rows = self._resolved(rows)
        rows = self._current(rows, ontology)
        if rows.empty:
            message = f"{path}: no annotation joins a known gene and a term of {self.path('terms').name}"
            raise TaskDataError(message)
        keys = ["source", "target", "relation"]
        joined: Mapping[str, Callable[[pd.Series], str]] = dict.fromkeys(_EVIDENCE, _joined)
        found = rows.groupby(keys, as_index=False, sort=True).agg(joined)
        self.audit.notes.append(
            f"{len(found):,} annotations of {found['source'].nunique():,} genes with"
            f" {found['target'].nunique():,} terms from {len(rows):,} rows"
        )
        return found.assign(weight=1.0)

    def _gaf(self, path: Path) -> pd.DataFrame:
        """Rows of human gene products without NOT."""
        table = _read_gaf(path)
        human = table["taxon"].str.split("|").str[0] == HUMAN
        if not human.any():
            others = ", ".join(sorted(set(table["taxon"]))[:3]) or "none"
            message = f"{path}: no row is of {HUMAN}; it has {others}; take goa_human.gaf.gz"
            raise SourceFormatError(message)
        negated = table["qualifier"].str.split("|").map(lambda names: "NOT" in names)
        if not human.all():
            self.audit.notes.append(f"{int((~human).sum()):,} rows of other species are left out")
        self.audit.notes.append(f"{int((human & negated).sum()):,} rows with the qualifier NOT are left out")
        rows = table[human & ~negated]
        self.audit.rows_read = len(table)
        relation = rows["qualifier"].where(~rows["qualifier"].isin(_PLAIN), ANNOTATED)
        return rows[["term", *_EVIDENCE]].assign(gene=rows["accession"], gene_alt=rows["symbol"], relation=relation)

    def _gene2go(self, path: Path) -> pd.DataFrame:
        """Rows of NCBI's table; of human genes, and without NOT where it has qualifiers."""
        columns = ("tax_id", "GeneID", "GO_ID", "Evidence")
        table = read_table(path, columns, all_columns=True, quoting=csv.QUOTE_NONE)
        self.audit.rows_read = len(table)
        human = table["tax_id"] == HUMAN.partition(":")[2]
        if not human.any():
            message = (
                f"{path}: no row is of tax_id 9606; it has {', '.join(sorted(set(table['tax_id']))[:3]) or 'none'}"
            )
            raise SourceFormatError(message)
        rows = table[human]
        if "Qualifier" in rows:
            negated = rows["Qualifier"].str.startswith("NOT")
            self.audit.notes.append(f"{int(negated.sum()):,} rows with the qualifier NOT are left out")
            rows = rows[~negated]
        else:
            self.audit.notes.append(f"{path.name} has no qualifiers: rows with NOT cannot be told from others")
        renamed = {"GO_ID": "term", "Evidence": "evidence", "GeneID": "gene"}
        return rows.rename(columns=renamed)[[*renamed.values()]].assign(assigned_by="", relation=ANNOTATED)

    def _resolved(self, rows: pd.DataFrame) -> pd.DataFrame:
        """With the column `source`, for the rows of known genes."""
        import pandas as pd

        found = self.resolver().resolve(rows["gene"].tolist())
        if "gene_alt" in rows:
            found = found.or_else(self.resolver().resolve(rows["gene_alt"].tolist()))
        self.audit.add_resolution(found)
        rows = rows.assign(source=pd.Series(found.symbols, index=rows.index, dtype=object))
        known = rows["source"].notna()
        self.audit.rows_unmapped += int((~known).sum())
        return rows[known]

    def _current(self, rows: pd.DataFrame, ontology: Ontology) -> pd.DataFrame:
        """With the column `target`, for the rows of terms in use."""
        target = rows["term"].map(lambda term: ontology.replaced.get(term, term))
        known = target.isin(set(ontology.terms["term"]))
        if not known.all():
            lost = sorted(set(target[~known]))
            self.audit.notes.append(
                f"{int((~known).sum()):,} annotations name {len(lost):,} terms that are obsolete or unknown, such as"
                f" {lost[0]}"
            )
        return rows.assign(target=target)[known]


def _read_gaf(path: Path) -> pd.DataFrame:
    """The columns of `GAF` that are used; comments, which have no tabs, stand before the rows."""
    import pandas as pd

    places = [GAF.index(name) for name in GAF_USED]
    rows = []
    for number, line in enumerate(read_bytes(path).decode().splitlines(), start=1):
        if line.startswith("!"):
            continue
        cells = line.split("\t")
        # The last two columns may be left out where they are empty.
        if len(cells) not in (15, 16, 17):
            message = f"{path}: row {number} has {len(cells)} cells, expected 17 of a GAF file; a half-downloaded file?"
            raise SourceFormatError(message)
        rows.append([cells[place] for place in places])
    return pd.DataFrame(rows, columns=list(GAF_USED), dtype=str)


def described(terms: pd.DataFrame) -> pd.Series:
    """What a text model reads of each term: its name and its definition."""
    return terms["name"] + (": " + terms["definition"]).where(terms["definition"] != "", "")


def _joined(cells: pd.Series) -> str:
    return "|".join(sorted(set(cells)))
