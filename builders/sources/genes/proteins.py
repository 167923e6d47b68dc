"""One protein sequence per gene, and the FASTA form of UniProt's download."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import SourceFormatError
from builders.readers.fasta import read_records
from builders.sources.uniprot import ENTRY, GENE, SEQUENCE
from builders.symbols import Status, SymbolResolver, split_cell

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["is_fasta", "read_fasta", "sequence_per_gene"]

_HEADER = re.compile(r"(sp|tr)\|([^|]+)\|\S+ .* OX=(\d+)(?: GN=(.+?))?(?: PE=\d+)?(?: SV=\d+)?")
HUMAN_TAXON = "9606"
BY_NAME: tuple[Status, ...] = ("current", "previous")


def is_fasta(path: Path) -> bool:
    """Whether a file is FASTA, judged by its name, with `.gz` or without."""
    return ".fasta" in path.suffixes


def sequence_per_gene(proteins: pd.DataFrame, genes: pd.DataFrame, resolver: SymbolResolver) -> dict[str, str]:
    """Sequence by symbol, for the genes that have one.

    Args:
        proteins: Columns `Entry`, `Gene Names (primary)` ("; " between several) and `Sequence`.
        genes: Columns `symbol` and `uniprot_ids` of HGNC's complete set.
        resolver: Resolver over the complete set.

    Returns:
        The sequence of the first of HGNC's accessions that has a protein, else the longest that names the gene.
    """
    chosen: dict[str, str] = {}
    # Longest last, so that it stays; the accession decides between equals. P04637-2 is an isoform beside P04637.
    proteins = proteins[(proteins[ENTRY] != "") & (proteins[SEQUENCE] != "") & ~proteins[ENTRY].str.contains("-")]
    proteins = proteins.sort_values(ENTRY, ascending=False).sort_values(
        SEQUENCE, key=lambda s: s.str.len(), kind="stable"
    )
    names = proteins[GENE].str.split(";").explode().str.strip()
    named = resolver.resolve(names.tolist(), by=BY_NAME)
    for symbol, sequence in zip(named, proteins[SEQUENCE].loc[names.index], strict=True):
        if symbol is not None:
            chosen[symbol] = sequence
    sequences = dict(zip(proteins[ENTRY], proteins[SEQUENCE], strict=True))
    for symbol, cell in genes[["symbol", "uniprot_ids"]].itertuples(index=False, name=None):
        listed = next((accession for accession in split_cell(cell) if accession in sequences), None)
        if listed is not None:
            chosen[symbol] = sequences[listed]
    return chosen


def read_fasta(path: Path) -> pd.DataFrame:
    """Accession, gene name and sequence of each reviewed human protein of UniProt's FASTA file.

    Args:
        path: FASTA with `OX=` and `GN=` in its headers, gzipped or not.

    Returns:
        Columns `Entry`, `Gene Names (primary)`, `Sequence`.

    Raises:
        SourceFileError: The file cannot be read.
        SourceFormatError: A line is not FASTA.
    """
    import pandas as pd

    rows = []
    for line, header, sequence in read_records(path, letters="A-Z*-", kind="protein"):
        match = _HEADER.fullmatch(header)
        if match is None:
            message = f"{path}: line {line} is not a UniProt header '>sp|accession|name ... OX=9606 GN=gene ...'"
            raise SourceFormatError(message)
        # Names of orthologs differ from human ones only in case. Those of unreviewed entries are not curated: one
        # called RAGE is the protein of AGER, while RAGE is an old symbol of MOK.
        if match[1] == "sp" and match[3] == HUMAN_TAXON:
            rows.append((match[2], match[4] or "", sequence))
    return pd.DataFrame(rows, columns=[ENTRY, GENE, SEQUENCE])
