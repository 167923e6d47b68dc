"""Annotations of genes with GO terms, as GOA's GAF and NCBI's gene2go have them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import SourceFormatError
from builders.readers.archives import read_text
from builders.readers.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ASPECTS", "EVIDENCE", "read_gaf", "read_gene2go"]

ASPECTS = {"process": "biological_process", "function": "molecular_function", "component": "cellular_component"}
_EXPERIMENTAL = ("EXP", "IDA", "IPI", "IMP", "IGI", "IEP", "HTP", "HDA", "HMP", "HGI", "HEP")
_CURATED = (
    *(*_EXPERIMENTAL, "TAS", "NAS", "IC", "ISS", "ISO", "ISA", "ISM", "IGC", "RCA"),
    *("IBA", "IBD", "IKR", "IRD"),
)
EVIDENCE: dict[str, tuple[str, ...]] = {
    "experimental": _EXPERIMENTAL,
    "curated": _CURATED,
    "all": (*_CURATED, "IEA"),
}
"""Choice of evidence -> its codes (https://geneontology.org/docs/guide-go-evidence-codes/); never ND, "no data"."""
_OF_GAF = {"P": "biological_process", "F": "molecular_function", "C": "cellular_component"}
_OF_GENE2GO = {"Process": "biological_process", "Function": "molecular_function", "Component": "cellular_component"}
HUMAN = "9606"


def read_gaf(path: Path) -> tuple[pd.DataFrame, int, str]:
    """Annotations of human gene products.

    Args:
        path: GAF 2.1 or 2.2, plain or gzipped.

    Returns:
        `accession`, `symbol`, `term`, `evidence`, `aspect` of each annotation that is not "NOT"; the number of those
        that are; the date in the head of the file, or "".

    Raises:
        SourceFormatError: A line has too few cells, or none is of a human gene.
    """
    import pandas as pd

    rows, n_not, date = [], 0, ""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.startswith("!"):
            words = line.lstrip("!").strip().lower()
            if words.startswith(("generated:", "date-generated:")):
                date = words.partition(":")[2].strip()[:10]
            continue
        cells = line.split("\t")
        if len(cells) < 13 or cells[8] not in _OF_GAF:
            message = f"{path}: line {number} is no annotation of GAF 2 ({len(cells)} cells): {line[:60]!r}"
            raise SourceFormatError(message)
        # Of an interaction between species the first taxon is the gene product's.
        if cells[12].partition("|")[0] != f"taxon:{HUMAN}":
            continue
        # The qualifier may be one of several: "NOT|contributes_to".
        if "NOT" in cells[3].split("|"):
            n_not += 1
        else:
            rows.append((cells[1].partition("-")[0], cells[2], cells[4], cells[6], _OF_GAF[cells[8]]))
    if not rows:
        message = f"{path}: no annotation is of taxon {HUMAN}; expected goa_human.gaf"
        raise SourceFormatError(message)
    return pd.DataFrame(rows, columns=["accession", "symbol", "term", "evidence", "aspect"]), n_not, date


def read_gene2go(path: Path) -> tuple[pd.DataFrame, int | None]:
    """Annotations of human genes.

    Args:
        path: NCBI's gene2go, plain or gzipped, with or without its column of qualifiers.

    Returns:
        `entrez_id`, `term`, `evidence`, `aspect` of each annotation that is not "NOT"; the number of those that are,
        None where the file has no qualifiers.

    Raises:
        SourceFormatError: A column is missing, or no row is of a human gene.
    """
    columns = ("tax_id", "GeneID", "GO_ID", "Evidence", "Category")
    table = read_table(path, columns, all_columns=True)
    table = table[table["tax_id"] == HUMAN]
    if table.empty:
        message = f"{path}: no row has tax_id {HUMAN}; expected NCBI's gene2go with human genes"
        raise SourceFormatError(message)
    n_not = None
    if "Qualifier" in table:
        negated = table["Qualifier"].str.split().map(lambda words: "NOT" in words)
        table, n_not = table[~negated], int(negated.sum())
    table = table.assign(aspect=table["Category"].map(_OF_GENE2GO))
    names = {"GeneID": "entrez_id", "GO_ID": "term", "Evidence": "evidence"}
    return table[["GeneID", "GO_ID", "Evidence", "aspect"]].rename(columns=names), n_not
