"""UniProt: the keywords of the reviewed human proteins, one task per keyword category."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import Family, TaskConfig
from builders.raw_files import RawFile, Source
from builders.readers.columns import require_columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ENTRIES_FORM", "ENTRY", "GENE", "SEQUENCE", "UNIPROT", "UniProtBuilder"]

ENTRY, GENE, KEYWORD, SEQUENCE = "Entry", "Gene Names (primary)", "Keyword ID", "Sequence"
NAMES, KEYWORD_NAMES = "Gene Names", "Keywords"
# How to read the entries. Until 2022 the columns had other names, and exports by field have the API's names.
ENTRIES_FORM = {
    "quoting": csv.QUOTE_NONE,
    "renamed": (
        *(("accession", ENTRY), ("Accession", ENTRY)),
        *(("Gene names  (primary )", GENE), ("Gene names (primary)", GENE), ("gene_primary", GENE)),
        *(("Gene names", NAMES), ("gene_names", NAMES)),
        *(("Keywords ID", KEYWORD), ("Keyword IDs", KEYWORD), ("keywordid", KEYWORD), ("keyword", KEYWORD_NAMES)),
        ("sequence", SEQUENCE),
    ),
}
# UniProt has some 20,400 reviewed human proteins; a search returns them in pages of 500.
FEW_ENTRIES = 10_000
_ENTRIES_URL = (
    "https://rest.uniprot.org/uniprotkb/stream?query=%28reviewed%3Atrue%29%20AND%20%28organism_id%3A9606%29"
    "&format=tsv&fields=accession%2Cgene_primary%2Ckeyword%2Ckeywordid%2Csequence"
)
_ENTRIES = ("uniprotkb_human_reviewed.tsv", "uniprotkb_human_reviewed.tsv.gz", "uniprotkb_human_reviewed_keywords.tsv")
_FASTA = ("uniprotkb_human_reviewed.fasta", "uniprotkb_human_reviewed.fasta.gz")
UNIPROT = Source(
    name="uniprot",
    title="UniProt",
    homepage="https://www.uniprot.org/uniprotkb?query=reviewed:true+AND+organism_id:9606",
    version="latest",
    releases="2018 to 2026, as tables of the website or the REST API",
    license="CC-BY-4.0",
    license_url="https://www.uniprot.org/help/license",
    redistributable=True,
    citation=(
        "The UniProt Consortium. UniProt: the Universal Protein Knowledgebase in 2023."
        " Nucleic Acids Res. 2023;51(D1):D523-D531. doi:10.1093/nar/gkac1052"
    ),
    files={
        "entries": RawFile(names=_ENTRIES, url=_ENTRIES_URL),
        "keywords": RawFile(
            names=("keywords_all.tsv", "keywords_all.tsv.gz"),
            url="https://rest.uniprot.org/keywords/stream?query=%2A&format=tsv&fields=id%2Cname%2Ccategory",
        ),
        # For the gene table, where the file is at hand: text models need no sequences and should not wait for UniProt.
        "proteins": RawFile(names=(*_FASTA, *_ENTRIES), url=None, optional=True),
    },
)

# Some keywords stand under two branches of UniProt's hierarchy but have one category, by which the paper went: it has
# Zinc-finger and the transmembrane keywords under Domain, and none of these under Ligand. A keyword list that was
# flattened from the hierarchy may name the other branch.
CATEGORIES = {
    "KW-0107": "Molecular function",  # Calcium channel
    "KW-0109": "Biological process",  # Calcium transport
    "KW-0347": "Molecular function",  # Helicase
    "KW-0440": "Domain",  # LIM domain
    "KW-0812": "Domain",  # Transmembrane
    "KW-0863": "Domain",  # Zinc-finger
    "KW-1133": "Domain",  # Transmembrane helix
}


def _task(category: str, family: Family, about: str, paper_size: int | None = None) -> TaskConfig:
    return TaskConfig(
        name=f"uniprot_{category.lower().replace(' ', '_')}",
        description=f"UniProt keywords that say {about}, over the genes with any keyword of the category {category}.",
        target="multilabel",
        family=family,
        column=category,
        files=("entries", "keywords"),
        duplicates="union",
        from_annotation=True,
        # Beyond the paper's three, these are either the very keywords of HPA's columns, which a ranking should not
        # count twice, or say how a protein was studied.
        ranked=paper_size is not None,
        made_by="UniProt's curators, and rules that pass keywords on to similar proteins" if paper_size is None else "",
        bias="well-studied proteins have more keywords; relatives have the same ones",
        paper_name=f"UniProt keyword {category}" if paper_size else None,
        paper_size=paper_size,
    )


class UniProtBuilder(GeneTaskBuilder):
    """A gene has a keyword if any of its proteins has.

    Two categories make no task: "Coding sequence diversity" (Alternative splicing) says how well a protein was
    studied, and no human protein has a keyword of "Developmental stage", whose keywords are for viruses, bacteria and
    parasites.
    """

    SOURCE = UNIPROT
    RULES_VERSION = 1
    BUILDER_CONFIGS = [  # noqa: RUF012
        _task("PTM", "protein", "how the protein is modified after translation", 13968),
        _task("Ligand", "protein", "which ions and small molecules the protein binds", 6673),
        _task("Domain", "protein", "which domains, repeats and signals the protein has", 13469),
        _task("Biological process", "biological_process", "which process the protein takes part in"),
        _task("Molecular function", "biological_process", "what the protein does"),
        _task("Cellular component", "localization", "where in the cell the protein is"),
        _task("Disease", "biological_process", "which diseases the gene is involved in"),
        _task("Technical term", "protein", "how the protein was studied and recorded"),
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        # By id: a keyword's name changes between releases.
        keywords = self.read("keywords", (KEYWORD, "Name", "Category"), quoting=csv.QUOTE_NONE)
        names, moved = {}, []
        for keyword, name, category in keywords.itertuples(index=False, name=None):
            of_category = CATEGORIES.get(keyword, category)
            if of_category == config.column:
                names[keyword] = name
            if of_category != category and config.column in (of_category, category):
                moved.append(name)
        if moved:
            self.audit.notes.append(f"by UniProt's category, not the keyword list's: {', '.join(moved)}")
        ids_by_name = dict(zip(keywords["Name"], keywords[KEYWORD], strict=True))
        listed, rows = set(ids_by_name.values()), []
        unlisted: set[str] = set()
        for entry, genes, cell in self._entries().itertuples(index=False, name=None):
            ids = [ids_by_name.get(part, part) for part in _parts(cell)]
            unlisted.update(keyword for keyword in ids if keyword not in listed)
            if label := tuple(names[keyword] for keyword in ids if keyword in names):
                rows += [(*identifiers, label) for identifiers in _identifiers(entry, _parts(genes))]
        if unlisted:
            self.audit.notes.append(f"keywords that the keyword list lacks: {len(unlisted)}, such as {min(unlisted)}")
        return pd.DataFrame(rows, columns=["symbol", "symbol_alt", "label"])

    def _entries(self) -> pd.DataFrame:
        """Accession, names of the genes (where the file has them) and keywords, as ids or as names."""
        path = self.path("entries")
        table = self.table(path, (ENTRY,), **ENTRIES_FORM)
        keyword = KEYWORD_NAMES if KEYWORD not in table and KEYWORD_NAMES in table else KEYWORD
        require_columns(path, (ENTRY, keyword), table.columns.tolist(), ENTRIES_FORM["renamed"])  # type: ignore[arg-type]
        if len(table) < FEW_ENTRIES:
            self.audit.notes.append(_few(path, len(table)))
        return table.assign(**{GENE: primary_names(table)})[[ENTRY, GENE, keyword]]


def primary_names(table: pd.DataFrame) -> pd.Series:
    """Names of an entry's genes, "; " between several: the column of primary names, else the first of all names."""
    if GENE in table:
        return table[GENE]
    return table[NAMES].str.split().str[0].fillna("") if NAMES in table else table[ENTRY].str[:0]


def _few(path: Path, n: int) -> str:
    return (
        f"{path.name} has {n:,} entries, far fewer than the 20,400 reviewed human proteins of UniProt; the first page"
        f" of a search? get all from {_ENTRIES_URL}"
    )


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _identifiers(entry: str, genes: list[str]) -> Iterator[tuple[str, str]]:
    """First and second identifier of each gene of an entry.

    Accessions outlive gene names. Where several genes encode one protein (H4C1; H4C2; ...), its accession stands for
    all of them.
    """
    if len(genes) > 1:
        yield from ((gene, "") for gene in genes)
    else:
        yield entry, "".join(genes)
