"""Twenty genes to try a model on: names and texts are real, sequences are made up."""

from collections.abc import Iterator
from typing import Any

import datasets

from builders import load

__all__ = ["MADE_UP", "columns_read", "toy_genes"]

TOY_GENES = 20
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
MADE_UP = ("protein_sequence", "dna_sequence")
"""Columns of the toy genes that are made up."""


def toy_genes() -> datasets.Dataset:
    """The first starter genes, with the columns that the whole gene table may have and the starter table lacks.

    Real sequences would be a download. Those here are the letters of the description, read as amino acids and, three
    bases for each, as DNA: valid letters, about a hundred residues, different from gene to gene, and not those of any
    gene. Nobody should score vectors of them.
    """
    genes = load("starter_genes").dataset.select(range(TOY_GENES))
    letters = ["".join(letter for letter in text.upper() if letter in RESIDUES) for text in genes["description"][:]]
    genes = genes.add_column(MADE_UP[0], letters)
    return genes.add_column(MADE_UP[1], ["".join(map(_codon, text)) for text in letters])


def columns_read(model: Any) -> Iterator[str]:
    """Columns of the gene table that a model, or one of its parts, reads; none for a table of vectors."""
    for part in getattr(model, "parts", ()):
        yield from columns_read(part)
    if column := getattr(model, "input_column", None):
        yield column


def _codon(letter: str) -> str:
    number = ord(letter) - ord("A")
    return "".join("ACGT"[number >> shift & 3] for shift in (4, 2, 0))
