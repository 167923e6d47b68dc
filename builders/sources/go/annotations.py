"""Annotations of human genes with GO terms, as GOA's GAF and NCBI's gene2go have them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import SourceFormatError
from builders.readers.archives import read_text
from builders.readers.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ASPECTS", "EVIDENCE", "Annotations", "read_annotations"]

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
COLUMNS = ("gene", "gene_alt", "qualifier", "term", "evidence", "aspect", "assigned_by")


@dataclass(frozen=True)
class Annotations:
    """What a file says of human genes.

    Args:
        table: `gene` (UniProt accession, or Entrez id), `gene_alt` (symbol, or ""), `qualifier` (several with "|"
            between), `term`, `evidence`, `aspect`, `assigned_by` of each annotation that is not "NOT".
        n_rows: Annotations of the file.
        n_other: Of them, those of other species.
        n_not: Those of human genes that are "NOT"; None where the file has no qualifiers.
        date: In the head of the file, or "".
    """

    table: pd.DataFrame
    n_rows: int
    n_other: int
    n_not: int | None
    date: str = ""


def read_annotations(path: Path) -> Annotations:
    """Read GAF 2.1 or 2.2, or NCBI's gene2go, plain or gzipped; the name of the file says which.

    Raises:
        SourceFormatError: A line has too few cells, a column is missing, or no row is of a human gene.
    """
    return (_gaf if ".gaf" in path.name else _gene2go)(path)


def _gaf(path: Path) -> Annotations:
    import pandas as pd

    rows, n_rows, n_other, n_not, date = [], 0, 0, 0, ""
    other = ""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.startswith("!"):
            words = line.lstrip("!").strip().lower()
            if words.startswith(("generated:", "date-generated:")):
                date = words.partition(":")[2].strip()[:10]
            continue
        cells = line.split("\t")
        # The last two of 17 may be left out where they are empty.
        if len(cells) < 15 or cells[8] not in _OF_GAF:
            message = f"{path}: line {number} is not an annotation of GAF 2 ({len(cells)} cells, not 17): {line[:60]!r}"
            raise SourceFormatError(message)
        n_rows += 1
        # Of an interaction between species the first taxon is the gene product's.
        if (taxon := cells[12].partition("|")[0]) != f"taxon:{HUMAN}":
            n_other, other = n_other + 1, taxon
        # The qualifier may be one of several: "NOT|contributes_to".
        elif "NOT" in cells[3].split("|"):
            n_not += 1
        else:
            rows.append((cells[1].partition("-")[0], *cells[2:5], cells[6], _OF_GAF[cells[8]], cells[14]))
    if not rows:
        found = f"it is of {other}" if other else "it has none"
        message = f"{path}: no annotation is of taxon {HUMAN}, {found}; expected goa_human.gaf"
        raise SourceFormatError(message)
    return Annotations(pd.DataFrame(rows, columns=list(COLUMNS), dtype=str), n_rows, n_other, n_not, date)


def _gene2go(path: Path) -> Annotations:
    columns = ("tax_id", "GeneID", "GO_ID", "Evidence", "Category")
    whole = read_table(path, columns, all_columns=True, quoting=csv.QUOTE_NONE)
    table = whole[whole["tax_id"] == HUMAN]
    if table.empty:
        found = ", ".join(sorted(set(whole["tax_id"]))[:3]) or "none"
        message = f"{path}: no row has tax_id {HUMAN}, it has {found}; expected NCBI's gene2go with human genes"
        raise SourceFormatError(message)
    n_other, n_not = len(whole) - len(table), None
    if "Qualifier" in table:
        # "NOT involved_in"; "-" is none.
        negated = table["Qualifier"].str.split().map(lambda words: "NOT" in words)
        table, n_not = table[~negated], int(negated.sum())
    renamed = table.rename(
        columns={"GeneID": "gene", "GO_ID": "term", "Evidence": "evidence", "Qualifier": "qualifier"}
    )
    renamed = renamed.assign(aspect=table["Category"].map(_OF_GENE2GO), gene_alt="", assigned_by="")
    if "qualifier" not in renamed:
        renamed["qualifier"] = ""
    return Annotations(renamed[list(COLUMNS)], len(whole), n_other, n_not)
