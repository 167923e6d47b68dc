"""HGNC's complete set: where it is published and which of its columns identify a gene."""

from builders.raw_files import RawFile, Source

__all__ = ["HGNC", "HGNC_COLUMNS"]

# Written against the complete sets of 2019 to 2025 (52 to 54 columns). Columns are found by name, so that those that
# HGNC adds or drops (lncrnadb, gencc, mane_select) do not matter.
HGNC = Source(
    name="hgnc",
    title="HGNC",
    homepage="https://www.genenames.org/download/",
    version="latest",
    license="CC0-1.0",
    license_url="https://www.genenames.org/about/license/",
    redistributable=True,
    citation="Seal RL et al. Genenames.org: the HGNC resources in 2023. Nucleic Acids Res. 2023;51(D1):D1003-D1009.",
    files={
        "complete_set": RawFile(
            names=("hgnc_complete_set.txt", "hgnc_complete_set.txt.gz", "hgnc_complete_set.tsv"),
            url="https://storage.googleapis.com/public-download-files/hgnc/tsv/tsv/hgnc_complete_set.txt",
        )
    },
)

HGNC_COLUMNS = (
    "hgnc_id", "symbol", "status", "alias_symbol", "prev_symbol", "entrez_id", "ensembl_gene_id", "uniprot_ids",
)  # fmt: skip
