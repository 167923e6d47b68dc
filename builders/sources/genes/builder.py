"""The gene table: one row per approved human gene, with the text that language models read."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TableConfig
from builders.raw_files import RawFile, Source
from builders.sources.genes.ensembl import ENSEMBL, longest_transcripts
from builders.sources.genes.proteins import is_fasta, read_fasta, sequence_per_gene
from builders.sources.uniprot import ENTRIES_FORM, ENTRY, GENE, SEQUENCE, UNIPROT, primary_names
from builders.symbols import HGNC, chromosome, split_cell

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GENE_FEATURES", "GenesBuilder", "describe", "described"]

NCBI_GENE = Source(
    name="ncbi_gene",
    title="NCBI Gene",
    homepage="https://www.ncbi.nlm.nih.gov/gene",
    version="latest",
    releases="gene_summary.gz since 2021",
    license="public-domain",
    license_url="https://www.ncbi.nlm.nih.gov/home/about/policies/",
    redistributable=True,
    citation="Brown GR et al. Gene: a gene-centered information resource at NCBI. Nucleic Acids Res. 2015;43(D1):D36.",
    files={
        "summary": RawFile(names=("gene_summary.gz",), url="https://ftp.ncbi.nlm.nih.gov/gene/DATA/gene_summary.gz"),
        # Counts of it, one row a gene, or the list itself: for the table of covariates.
        "publications": RawFile(
            names=(
                *("gene2pubmed.gz", "gene2pubmed_human_counts.tsv"),
                *("gene2pubmed_human_counts_2022-09.tsv", "gene2pubmed_human_counts_2019-10.tsv"),
            ),
            url=None,
            command="curl -O https://ftp.ncbi.nlm.nih.gov/gene/DATA/gene2pubmed.gz",
            optional=True,
        ),
    },
)
HUMAN_TAXON = "9606"

GENE_FEATURES = {
    "symbol": "string",
    "hgnc_id": "string",
    "name": "string",
    "ensembl_gene_id": "string",
    "entrez_id": "string",
    "uniprot_id": "string",
    "alias_symbols": ["string"],
    "prev_symbols": ["string"],
    "locus_group": "string",
    "chromosome": "string",
    "gene_groups": ["string"],
    "summary": "string",
    "description": "string",
    "summary_source": "string",
    "protein_sequence": "string",
    "dna_sequence": "string",
}


def describe(symbol: str, name: str, summary: str) -> str:
    """The prompt of arXiv 2412.04075, section 3.1; the last clause is left out for a gene without a summary.

    >>> describe("TP53", "tumor protein p53", "This gene encodes a tumor suppressor.")
    'Gene symbol TP53 full name tumor protein p53 with the summary This gene encodes a tumor suppressor.'
    >>> describe("RNU6-2", "RNA, U6 small nuclear 2", "")
    'Gene symbol RNU6-2 full name RNA, U6 small nuclear 2'
    """
    head = f"Gene symbol {symbol} full name {name}"
    return f"{head} with the summary {summary}" if summary else head


class GenesBuilder(GeneTaskBuilder):
    """HGNC's approved genes with NCBI's RefSeq summaries.

    Where the files are at hand, also with protein sequences of UniProt and DNA sequences of Ensembl's transcripts.
    """

    SOURCE = HGNC
    RULES_VERSION = 3
    BUILDER_CONFIGS = [  # noqa: RUF012
        TableConfig(
            name="genes",
            description="Approved human genes: identifiers, RefSeq summary and the description that text models read.",
            features=GENE_FEATURES,
        )
    ]

    def inputs(self, config: TableConfig) -> list[tuple[Source, str]]:  # noqa: D102
        return [(HGNC, "complete_set"), (NCBI_GENE, "summary"), (UNIPROT, "proteins"), (ENSEMBL, "transcripts")]

    def prepare(self) -> bool:  # noqa: D102
        built = super().prepare()
        # For tasks of a user's own, whose folder need not have it.
        self.raw.keep(HGNC, "complete_set")
        return built

    def rows(self, config: TableConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        hgnc = self.hgnc("name", "locus_group", "location", "gene_group")
        hgnc = hgnc[hgnc["status"] == "Approved"].sort_values("symbol")
        table = pd.DataFrame(
            {name: hgnc[name] for name in ("symbol", "hgnc_id", "name", "ensembl_gene_id", "entrez_id")}
        )
        table["uniprot_id"] = [next(iter(split_cell(cell)), "") for cell in hgnc["uniprot_ids"]]
        for name in ("alias_symbol", "prev_symbol"):
            table[f"{name}s"] = [split_cell(cell) for cell in hgnc[name]]
        # Names of groups have commas.
        table["gene_groups"] = [[part for part in cell.split("|") if part] for cell in hgnc["gene_group"]]
        table["locus_group"] = hgnc["locus_group"]
        table["chromosome"] = [chromosome(cell) for cell in hgnc["location"]]
        texts = described(self, self.path("summary", NCBI_GENE), hgnc)
        for name in ("summary", "description", "summary_source"):
            table[name] = texts[name]
        for source, n in table["summary_source"][table["summary"] != ""].value_counts().sort_index().items():
            self.audit.notes.append(f"{n:,} of {len(table):,} genes have a summary by {source or 'an unnamed source'}")
        proteins = self._proteins()
        if proteins is not None:
            sequences = sequence_per_gene(proteins, hgnc, self.resolver())
            table["protein_sequence"] = _looked_up(hgnc["symbol"], sequences)
            self.audit.notes.append(f"{len(sequences):,} genes have a protein sequence")
        transcripts = self._paths[ENSEMBL.name, "transcripts"]
        if transcripts is not None:
            table["dna_sequence"] = _looked_up(hgnc["ensembl_gene_id"], longest_transcripts(transcripts))
            n = int((table["dna_sequence"] != "").sum())
            self.audit.notes.append(f"{n:,} genes have a DNA sequence, the longest of {transcripts.name}")
        return table[[name for name in GENE_FEATURES if name in table]]

    def _proteins(self) -> pd.DataFrame | None:
        path = self._paths[UNIPROT.name, "proteins"]
        if path is None:
            return None
        if is_fasta(path):
            return read_fasta(path)
        table = self.table(path, (ENTRY,), **ENTRIES_FORM)
        return table.assign(**{GENE: primary_names(table)}) if SEQUENCE in table else None


def described(builder: GeneTaskBuilder, path: Path, hgnc: pd.DataFrame) -> pd.DataFrame:
    """Summary, its source and description of each row of HGNC's complete set, from NCBI's file of summaries.

    The source is "RefSeq", written by people, or "Alliance", made by the Alliance of Genome Resources from annotation.
    """
    import pandas as pd

    # Summaries hold quotation marks that are not quoting.
    frame = builder.table(path, ("tax_id", "GeneID", "Summary"), quoting=csv.QUOTE_NONE)
    human = frame[frame["tax_id"] == HUMAN_TAXON]
    summaries = _looked_up(hgnc["entrez_id"], dict(zip(human["GeneID"], human["Summary"].str.strip(), strict=True)))
    texts = [describe(*row) for row in zip(hgnc["symbol"], hgnc["name"], summaries, strict=True)]
    # A file that was cut to three columns does not say it.
    by = human["Source"].str.strip() if "Source" in human else [""] * len(human)
    sources = _looked_up(hgnc["entrez_id"], dict(zip(human["GeneID"], by, strict=True)))
    return pd.DataFrame({"summary": summaries, "summary_source": sources, "description": texts}, index=hgnc.index)


def _looked_up(keys: pd.Series, values: dict[str, str]) -> list[str]:
    return [values.get(key, "") for key in keys]
