"""Reactome: the top-level pathways of a gene."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source
from builders.readers.archives import read_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReactomeBuilder"]

REACTOME = Source(
    name="reactome",
    title="Reactome",
    homepage="https://reactome.org/download-data",
    version="latest",
    license="CC0-1.0",
    license_url="https://reactome.org/license",
    redistributable=True,
    citation="Milacic M et al. The Reactome Pathway Knowledgebase 2024. Nucleic Acids Res. 2024;52(D1):D672-D678.",
    files={
        "gene_sets": RawFile(
            names=("ReactomePathways.gmt", "ReactomePathways.gmt.zip"),
            url="https://reactome.org/download/current/ReactomePathways.gmt.zip",
        ),
        "relations": RawFile(
            names=("ReactomePathwaysRelation.txt",),
            url="https://reactome.org/download/current/ReactomePathwaysRelation.txt",
        ),
    },
)
HUMAN = "R-HSA-"


class ReactomeBuilder(GeneTaskBuilder):
    """A gene belongs to a top-level pathway if any gene set below it, or the pathway itself, lists the gene."""

    SOURCE = REACTOME
    RULES_VERSION = 1
    # The sets also list viral and bacterial proteins, whose names are aliases of human genes (PB1, US2) or equal them
    # but for case (tat): only the symbols that HGNC approves or once approved are taken for human genes.
    RESOLVE_BY = ("current", "previous")
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="reactome_pathways",
            description="Top-level Reactome pathways that the gene takes part in, of the genes that take part in any.",
            target="multilabel",
            family="biological_process",
            duplicates="union",
            paper_name="Pathways",
            paper_size=10969,
        )
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        names, members = self._gene_sets()
        parents: dict[str, set[str]] = {}
        # The relation table has no header line, and holds every species.
        table = self.read("relations", ("parent", "child"), header=False)
        for parent, child in table[table["child"].str.startswith(HUMAN)].itertuples(index=False, name=None):
            parents.setdefault(child, set()).add(parent)
        tops = {parent for above in parents.values() for parent in above} - parents.keys()
        rows, orphans, lost = [], [], set()
        for pathway, genes in members.items():
            above = _roots(pathway, parents) & tops
            if not above:
                orphans.append(pathway)
                lost.update(genes)
            rows += [(gene, tuple(sorted(names.get(top, top) for top in above))) for gene in genes if above]
        if orphans:
            placed = {gene for gene, _ in rows}
            self.audit.notes.append(
                f"{len(orphans)} gene sets are newer than the relation table and belong to no top-level pathway in it;"
                f" {len(lost - placed)} genes are in no other set and are left out"
            )
        return pd.DataFrame(rows, columns=["symbol", "label"])

    def _gene_sets(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        path = self.path("gene_sets")
        names, members = {}, {}
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            name, _, rest = line.partition("\t")
            pathway, *genes = rest.split("\t")
            if not pathway.startswith("R-") or not genes:
                message = f"{path}: line {number} is not 'name, R-HSA-id, genes...' separated by tabs: {line[:60]!r}"
                raise SourceFormatError(message)
            if pathway.startswith(HUMAN):
                names[pathway], members[pathway] = name, [gene for gene in genes if gene]
        return names, members


def _roots(pathway: str, parents: dict[str, set[str]]) -> set[str]:
    """Pathways without a parent that are reached from `pathway` upwards (itself, if it has none)."""
    roots, seen, stack = set(), {pathway}, [pathway]
    while stack:
        current = stack.pop()
        above = parents.get(current, set())
        if not above:
            roots.add(current)
        stack += above - seen
        seen |= above
    return roots
