"""HGNC's complete set: where it is published and which of its columns identify a gene."""

import re

from builders.raw_files import RawFile, Source

__all__ = ["HGNC", "HGNC_COLUMNS", "HGNC_RENAMED", "chromosome", "split_cell"]

HGNC = Source(
    name="hgnc",
    title="HGNC",
    homepage="https://www.genenames.org/download/",
    version="latest",
    releases="complete sets of 2017 to 2024 and custom downloads",
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

# Names in complete sets until 2020, and in custom downloads. HGNC also adds and drops columns (lncrnadb, gencc).
HGNC_RENAMED = (
    *(("gene_family", "gene_group"), ("Gene group name", "gene_group")),
    *(("HGNC ID", "hgnc_id"), ("Approved symbol", "symbol"), ("Approved name", "name"), ("Status", "status")),
    *(("Locus group", "locus_group"), ("Locus type", "locus_type"), ("Chromosome", "location")),
    *(("Alias symbols", "alias_symbol"), ("Synonyms", "alias_symbol")),
    *(("Previous symbols", "prev_symbol"), ("Date symbol changed", "date_symbol_changed")),
    *(("NCBI Gene ID", "entrez_id"), ("NCBI Gene ID(supplied by NCBI)", "entrez_id")),
    *(("Ensembl gene ID", "ensembl_gene_id"), ("Ensembl ID(supplied by Ensembl)", "ensembl_gene_id")),
    *(("UniProt ID(supplied by UniProt)", "uniprot_ids"), ("Mouse genome database ID", "mgd_id")),
    *(("Mouse genome database ID(supplied by MGI)", "mgd_id"), ("Rat genome database ID(supplied by RGD)", "rgd_id")),
)


def split_cell(cell: str) -> list[str]:
    """Symbols or ids of a cell, which custom downloads separate by commas.

    >>> split_cell("p53|LFS1"), split_cell("p53, LFS1"), split_cell("")
    (['p53', 'LFS1'], ['p53', 'LFS1'], [])
    """
    return [part for part in re.split(r"\||, ", cell) if part]


def chromosome(location: str) -> str:
    """Chromosome of a cytogenetic location; "XY" is the pseudoautosomal region, "" is not placed.

    >>> [chromosome(where) for where in ("17p13.1", "Xq28", "Xp22.33 and Yp11.2", "mitochondria", "reserved")]
    ['17', 'X', 'XY', 'MT', '']
    """
    if location == "mitochondria":
        return "MT"
    if re.fullmatch(r"X\S* and Y\S*", location):
        return "XY"
    match = re.match(r"(\d{1,2}|X|Y)(?=[pqc]|$| )", location)
    return match[1] if match else ""
