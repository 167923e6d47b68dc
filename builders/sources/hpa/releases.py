"""Columns of the main table by release: other names for one thing, and what one name has meant at different times."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders.config import TaskConfig
from builders.errors import SourceFormatError
from builders.readers.archives import read_text
from builders.readers.columns import require_columns
from builders.readers.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GENE", "Column", "columns_of", "read_atlas", "release_of", "split_column"]

GENE = ("Ensembl", "Gene")
# The first of these signs that a table has says which release it is from.
_SIGNS = (
    ("RNA single cell type specific nCPM", "25"),
    ("Cancer prognostics - Breast Invasive Carcinoma (TCGA)", "24"),
    ("RNA tissue cell type enrichment", "23"),
    ("RNA tissue specific nTPM", "21 or 22"),
    ("RNA tissue specific NX", "19 or 20"),
    ("RNA tissue category", "16 to 18"),
)
# From release 24 on prognoses are of TCGA's cohorts, and most cohorts are tested again in a second one.
_COHORTS: dict[str, tuple[str, ...]] = {
    "Breast cancer": ("Breast Invasive Carcinoma",),
    "Cervical cancer": ("Cervical Squamous Cell Carcinoma and Endocervical Adenocarcinoma",),
    "Endometrial cancer": ("Uterine Corpus Endometrial Carcinoma",),
    "Glioma": ("Glioblastoma Multiforme",),
    "Head and neck cancer": ("Head and Neck Squamous Cell Carcinoma",),
    "Liver cancer": ("Liver Hepatocellular Carcinoma",),
    # The second is HPA's spelling.
    "Melanoma": ("Skin Cutaneous Melanoma", "Skin Cuteneous Melanoma"),
    "Ovarian cancer": ("Ovary Serous Cystadenocarcinoma",),
    "Pancreatic cancer": ("Pancreatic Adenocarcinoma",),
    "Prostate cancer": ("Prostate Adenocarcinoma",),
    "Stomach cancer": ("Stomach Adenocarcinoma",),
    "Testis cancer": ("Testicular Germ Cell Tumor",),
    "Thyroid cancer": ("Thyroid Carcinoma",),
    "Urothelial cancer": ("Bladder Urothelial Carcinoma",),
}
# Cancers of earlier releases that were cut into several: none of these is the earlier task.
_SPLIT = {
    "Colorectal cancer": ("Colon Adenocarcinoma", "Rectum Adenocarcinoma"),
    "Lung cancer": ("Lung Adenocarcinoma", "Lung Squamous Cell Carcinoma"),
    "Renal cancer": (
        *("Kidney Renal Clear Cell Carcinoma", "Kidney Renal Papillary Cell Carcinoma"),
        "Kidney Chromophobe",
    ),
}
_PROGNOSTICS = "Pathology prognostics - "
_CATEGORIES = {
    "RNA tissue specificity": "RNA tissue category",
    "RNA cancer specificity": "RNA cancer category",
    "RNA cell line specificity": "RNA cell line category",
}


@dataclass(frozen=True)
class Column:
    """A column that may hold a task's labels.

    Args:
        name: Its name.
        version: Version of the task that it makes, where it means something else than the task's usual column.
        note: What it means then.
    """

    name: str
    version: str | None = None
    note: str = ""


def columns_of(config: TaskConfig) -> tuple[Column, ...]:
    """The columns that may hold a task's labels: the usual one first, then those of other releases."""
    usual = str(config.column)
    others: list[Column] = []
    if cohorts := _COHORTS.get(usual.removeprefix(_PROGNOSTICS)):
        note = "prognoses in TCGA's cohort, as made from release 24 on; potential and validated ones are one class"
        others = [Column(f"Cancer prognostics - {cohort} (TCGA)", "2.0.0", note) for cohort in cohorts]
    if usual in _CATEGORIES:
        note = "categories of releases before 19, which mix where RNA is enriched with where it is detected"
        others = [Column(_CATEGORIES[usual], "0.1.0", note)]
    return (Column(usual), *others)


def split_column(config: TaskConfig) -> str:
    """What became of a task's column in releases that cut it into several; empty for others."""
    cancer = str(config.column).removeprefix(_PROGNOSTICS)
    parts = " and ".join(_SPLIT.get(cancer, ()))
    return f"; from release 24 on {cancer.lower()} is cut into {parts}" if parts else ""


def release_of(names: Collection[str]) -> str:
    """Release of a main table with these columns, as "24" or "21 or 22"; empty if no column shows it.

    >>> release_of(["Gene", "RNA tissue specific NX"])
    '19 or 20'
    """
    return next((release for sign, release in _SIGNS if sign in names), "")


def read_atlas(path: Path) -> pd.DataFrame:
    """The main table with all its columns as strings, from `proteinatlas.tsv` or `proteinatlas.json`.

    Raises:
        SourceFileError: The file cannot be read.
        SourceFormatError: It is no such table.
    """
    if ".json" not in path.suffixes:
        return read_table(path, GENE, all_columns=True)
    import pandas as pd

    try:
        records = json.loads(read_text(path))
    except ValueError as error:
        message = f"{path}: not JSON, or a half-downloaded file ({error}); fetch it again"
        raise SourceFormatError(message) from error
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        message = f"{path}: not a list with one object for each gene, as proteinatlas.json is"
        raise SourceFormatError(message)
    names: Sequence[str] = list(dict.fromkeys(name for record in records for name in record))
    require_columns(path, GENE, names)
    rows = [[_cell(record.get(name)) for name in names] for record in records]
    return pd.DataFrame(rows, columns=list(names), dtype=str)


def _cell(value: Any) -> str:
    """What the table has for a value of the JSON file.

    >>> _cell(["Cytosol", "Nucleoplasm"]), _cell(None), _cell({"Liver": "12.5"})
    ('Cytosol;Nucleoplasm', '', 'Liver: 12.5')
    >>> _cell({"prognostic type": "favorable", "prognostic": "potential prognostic", "p_val": "5.1e-4"})
    'potential prognostic favorable (5.1e-4)'
    """
    if value is None:
        return ""
    if isinstance(value, list):
        return ";".join(map(_cell, value))
    if isinstance(value, dict) and "p_val" in value:
        # Releases before 24 say only whether the gene is prognostic.
        word = str(value.get("prognostic") or ("prognostic" if value.get("is_prognostic") else "unprognostic"))
        kind = "" if word == "unprognostic" else f" {value.get('prognostic type', '')}"
        return f"{word}{kind} ({value['p_val']})"
    if isinstance(value, dict):
        return ";".join(f"{key}: {_cell(each)}" for key, each in value.items())
    return str(value)
