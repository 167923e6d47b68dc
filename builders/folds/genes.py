"""Families and chromosomes of all genes, from the files at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from builders.folds.families import FAMILIES, PFAM, pfam_families, read_domains, read_families
from builders.folds.schemes import GeneGroups
from builders.symbols.hgnc import chromosome

if TYPE_CHECKING:
    import pandas as pd

    from builders.symbols import SymbolResolver

__all__ = ["read_gene_groups"]

LOCATION = "location"


def read_gene_groups(
    hgnc: pd.DataFrame, resolver: SymbolResolver, *, domains: Path | None, tables: Path | None
) -> GeneGroups:
    """What folds depend on besides entities and labels.

    Args:
        hgnc: HGNC's complete set.
        resolver: Over that set.
        domains: Pfam domains of genes; see `read_domains`.
        tables: The user's own families, which win; see `read_families`.
    """
    approved = hgnc[hgnc["status"] == "Approved"]
    absent: dict[str, str] = {}
    families = chromosomes = None
    if tables is not None:
        families = read_families(tables, resolver)
    elif domains is not None:
        symbols = dict(zip(approved["ensembl_gene_id"], approved["symbol"], strict=True))
        families = pfam_families(read_domains(domains, symbols))
    else:
        origin, key = PFAM
        absent["family"] = (
            f"neither {origin.name}/{origin.files[key].names[0]} ({origin.files[key].command})"
            f" nor a table {FAMILIES.name}/*.tsv of your own is in the data directory"
        )
    if LOCATION in approved:
        places = map(chromosome, approved[LOCATION])
        chromosomes = dict(zip(approved["symbol"], places, strict=True))
    else:
        absent["chromosome"] = f"HGNC's file has no column {LOCATION}"
    return GeneGroups(families, chromosomes, absent)
