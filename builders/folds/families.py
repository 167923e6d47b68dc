"""Families of genes: by Pfam domains and symbols, or by a user's own table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source
from builders.readers.tables import read_table
from builders.sources.genes.ensembl import ENSEMBL

if TYPE_CHECKING:
    from builders.symbols import SymbolResolver

__all__ = ["FAMILIES", "PFAM", "pfam_families", "read_domains", "read_families"]

PFAM = (ENSEMBL, "pfam")
"""Pfam domains of genes, as Ensembl's BioMart gives them: one row for each domain."""
FAMILIES = Source(
    name="families",
    title="Your gene families",
    # The folder itself: every *.tsv in it.
    files={"tables": RawFile(names=("",), url=None, optional=True)},
    redistributable=True,
)
"""A user's own families, which take the place of those by Pfam: `symbol` and `family`, in `DIR/families/*.tsv`."""
GENE_ID, PFAM_ID = "Gene stable ID", "Pfam ID"
# Earlier and later forms of BioMart.
RENAMED = (("Pfam domain ID", PFAM_ID), ("Ensembl Gene ID", GENE_ID))
DIGITS = "0123456789"


def stem(symbol: str) -> str:
    """A symbol without the digits at its end; "" where one character is left, which says nothing about relatives.

    >>> [stem(symbol) for symbol in ("ZNF91", "HLA-A", "SLC2A1", "C3", "C1orf112")]
    ['ZNF', 'HLA-A', 'SLC2A', '', 'C1orf']
    """
    found = symbol.rstrip(DIGITS)
    return found if len(found) > 1 else ""


def pfam_families(domains: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """The family of each gene with domains, named by its first member.

    Two genes are related if their sets of Pfam domains are identical, or if they share a domain and the stem of their
    symbols; a family is all that are related through one another.

    Args:
        domains: Symbol -> Pfam ids, at least one.

    >>> pfam_families({"ZNF7": frozenset({"PF1", "PF2"}), "ZNF8": frozenset({"PF2"}), "ADA": frozenset({"PF1"})})
    {'ADA': 'ADA', 'ZNF7': 'ZNF7', 'ZNF8': 'ZNF7'}
    """
    keys: dict[object, list[str]] = defaultdict(list)
    for symbol in sorted(domains):
        keys[domains[symbol]].append(symbol)
        if start := stem(symbol):
            for domain in domains[symbol]:
                keys[start, domain].append(symbol)
    return _joined(sorted(domains), keys.values())


def _joined(symbols: Iterable[str], related: Iterable[list[str]]) -> dict[str, str]:
    """Symbol -> first member of its connected component (union-find)."""
    parent = {symbol: symbol for symbol in symbols}

    def root(symbol: str) -> str:
        while parent[symbol] != symbol:
            parent[symbol] = parent[parent[symbol]]
            symbol = parent[symbol]
        return symbol

    for first, *others in related:
        for other in others:
            one, two = sorted((root(first), root(other)))
            parent[two] = one
    return {symbol: root(symbol) for symbol in parent}


def read_domains(path: Path, symbols: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Pfam domains of genes, from the table of Ensembl's BioMart.

    Args:
        path: Columns `Gene stable ID` and `Pfam ID`, which is empty for a gene without a domain.
        symbols: Ensembl gene id -> symbol; other genes are left out.
    """
    table = read_table(path, (GENE_ID, PFAM_ID), renamed=RENAMED)
    found: dict[str, set[str]] = defaultdict(set)
    for gene, domain in zip(table[GENE_ID], table[PFAM_ID], strict=True):
        if domain and gene in symbols:
            found[symbols[gene]].add(domain)
    return {symbol: frozenset(ids) for symbol, ids in found.items()}


def read_families(folder: Path, resolver: SymbolResolver) -> dict[str, str]:
    """Symbol -> family, from all `*.tsv` in a folder; identifiers that resolve to no symbol are left out.

    Raises:
        SourceFormatError: No such file, a column `symbol` or `family` is missing, or a gene has two families.
    """
    paths = sorted(folder.glob("*.tsv"))
    if not paths:
        message = f"{folder} holds no *.tsv; expected a table of gene families with columns symbol and family"
        raise SourceFormatError(message)
    found: dict[str, str] = {}
    for path in paths:
        table = read_table(path, ("symbol", "family"))
        symbols = resolver.resolve(table["symbol"].tolist())
        for symbol, family in zip(symbols, table["family"], strict=True):
            if symbol is None or not family:
                continue
            if found.setdefault(symbol, family) != family:
                message = f"{path}: {symbol} is in {found[symbol]} and in {family}; keep one family for each gene"
                raise SourceFormatError(message)
    return found
