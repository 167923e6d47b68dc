"""Reactome: the top-level pathways of a gene."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source
from builders.readers.archives import read_text
from builders.symbols import split_cell

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReactomeBuilder"]

REACTOME = Source(
    name="reactome",
    title="Reactome",
    homepage="https://reactome.org/download-data",
    version="latest",
    releases="77 to 90",
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
        # Says which names are a human protein's; used where the file is present.
        "proteins": RawFile(
            names=("UniProt2Reactome_All_Levels.txt", "UniProt2Reactome_All_Levels.txt.gz"), url=None, optional=True
        ),
    },
)
HUMAN = "R-HSA-"
INFECTION = "R-HSA-5663205"
PROTEINS = ("accession", "pathway", "url", "name", "evidence", "species")


class ReactomeBuilder(GeneTaskBuilder):
    """A gene belongs to a top-level pathway if any gene set below it, or the pathway itself, lists the gene."""

    SOURCE = REACTOME
    RULES_VERSION = 2
    # The sets also list viral and bacterial proteins, whose names are aliases of human genes (PB1, US2) or equal them
    # but for case (tat): only the symbols that HGNC approves or once approved are taken for human genes.
    RESOLVE_BY = ("current", "previous")
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="reactome_pathways",
            # 2.0.0: names of proteins of pathogens that once were symbols of human genes are no human genes.
            version="2.0.0",
            description="Top-level Reactome pathways that the gene takes part in, of the genes that take part in any.",
            target="multilabel",
            family="biological_process",
            duplicates="union",
            from_annotation=True,
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
        pathogens = self._pathogen_names(members, parents)
        rows, orphans, lost = [], [], set()
        for pathway, listed in members.items():
            genes = [gene for gene in listed if gene not in pathogens]
            above = {node for node in _ancestors(pathway, parents) if node not in parents} & tops
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

    def _pathogen_names(self, members: dict[str, list[str]], parents: dict[str, set[str]]) -> set[str]:
        """Names in the sets of infections that are a pathogen's proteins, though human genes were once called so.

        Influenza's NA (neuraminidase) was a symbol of XK. Where the table of proteins is there, it decides: the gene's
        protein is in a set that lists the name, or not. Otherwise a previous symbol is a human gene's only if the gene
        encodes a protein, is not listed under its approved symbol as well (Reactome has one name for a gene), and
        either is in a set that is not about infections or was renamed lately: Reactome follows HGNC, some years behind.
        """
        infection = {pathway for pathway in members if INFECTION in _ancestors(pathway, parents)}
        about = infection | _ancestors(INFECTION, parents)
        listed = sorted({name for pathway in infection for name in members[pathway]})
        found = zip(listed, self.resolver().resolve(listed, by=self.RESOLVE_BY).matches, strict=True)
        previous = {name: str(match.symbol) for name, match in found if match.status == "previous"}
        if not previous:
            return set()
        # A set that the relation table lacks may be about infections.
        elsewhere = {name for pathway in (members.keys() & parents.keys()) - about for name in members[pathway]}
        everywhere = {name for names in members.values() for name in names}
        hgnc = self.hgnc()
        accessions = dict(zip(hgnc["symbol"], hgnc["uniprot_ids"], strict=True))
        renamed_lately = _renamed_lately(hgnc)
        proteins = self._proteins()
        human = set()
        for name, symbol in previous.items():
            of_gene = split_cell(accessions[symbol])
            if proteins is not None:
                sets = [pathway for pathway in members if name in members[pathway]]
                is_human = any((accession, pathway) in proteins for accession in of_gene for pathway in sets)
            else:
                is_human = (
                    bool(of_gene) and symbol not in everywhere and (name in elsewhere or symbol in renamed_lately)
                )
            human |= {name} if is_human else set()
        if pathogens := sorted(previous.keys() - human):
            self.audit.notes.append(
                f"{len(pathogens)} names in the sets of infections are proteins of pathogens, not the human genes once"
                f" called so: {', '.join(f'{name} (not {previous[name]})' for name in pathogens)}"
            )
        return set(pathogens)

    def _proteins(self) -> set[tuple[str, str]] | None:
        """Accession and pathway of every protein of a human pathway; None without the file."""
        if self._paths.get((REACTOME.name, "proteins")) is None:
            return None
        table = self.read("proteins", PROTEINS, header=False)
        table = table[table["pathway"].str.startswith(HUMAN)]
        return set(zip(table["accession"].str.partition("-")[0], table["pathway"], strict=True))

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


def _renamed_lately(hgnc: pd.DataFrame) -> set[str]:
    """Symbols that are less than ten years old at the newest date in HGNC's table."""
    if not {"date_symbol_changed", "date_modified"} <= set(hgnc):
        return set()
    # Dates are written as 2024-10-01.
    since = f"{int(hgnc['date_modified'].max()[:4] or 0) - 10}"
    return set(hgnc["symbol"][hgnc["date_symbol_changed"] >= since])


def _ancestors(pathway: str, parents: dict[str, set[str]]) -> set[str]:
    """A pathway and all pathways above it."""
    seen, stack = {pathway}, [pathway]
    while stack:
        above = parents.get(stack.pop(), set()) - seen
        stack += above
        seen |= above
    return seen
