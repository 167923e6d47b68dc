"""DISEASES: the areas of disease that a gene is known to play a part in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DiseasesBuilder"]

DISEASES = Source(
    name="diseases",
    title="DISEASES",
    homepage="https://diseases.jensenlab.org",
    version="latest",
    license="CC-BY-4.0",
    license_url="https://creativecommons.org/licenses/by/4.0/",
    redistributable=True,
    citation=(
        "Pletscher-Frankild S et al. DISEASES: text mining and data integration of disease-gene associations."
        " Methods. 2015;74:83-89."
    ),
    files={
        # The full table, which also has the diseases above each one.
        "knowledge": RawFile(
            names=("human_disease_knowledge_full.tsv", "human_disease_knowledge_full.tsv.gz"),
            url="https://download.jensenlab.org/human_disease_knowledge_full.tsv",
        )
    },
)
_COLUMNS = ("protein", "symbol", "disease_id", "disease", "source", "evidence", "score")
# Terms below "disease of anatomical entity" (by organ system) and beside it, of the Disease Ontology.
AREAS = {
    "DOID:1287": "cardiovascular system",
    "DOID:28": "endocrine system",
    "DOID:77": "gastrointestinal system",
    "DOID:74": "hematopoietic system",
    "DOID:2914": "immune system",
    "DOID:16": "integumentary system",
    "DOID:17": "musculoskeletal system",
    "DOID:863": "nervous system",
    "DOID:15": "reproductive system",
    "DOID:1579": "respiratory system",
    "DOID:0060118": "thoracic",
    "DOID:18": "urinary system",
    "DOID:14566": "cellular proliferation",
    "DOID:150": "mental health",
    "DOID:0014667": "metabolism",
    "DOID:0050117": "infectious agent",
    "DOID:0080015": "physical disorder",
    "DOID:225": "syndrome",
}


class DiseasesBuilder(GeneTaskBuilder):
    """A gene has an area if a row pairs it with the area's term; rows of single diseases have no part in it."""

    SOURCE = DISEASES
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="diseases_area",
            description="Areas of the diseases that curators connect the gene with, over the genes with any area.",
            target="multilabel",
            family="biological_process",
            duplicates="union",
            from_annotation=True,
            made_by="curators of UniProt and MedlinePlus Genetics, collected by DISEASES (knowledge channel)",
            bias="a gene in an area has been studied there; areas go by where a patient is ill, not by mechanism",
        )
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        table = self.read("knowledge", _COLUMNS, header=False)
        chosen = table[table["disease_id"].isin(AREAS)]
        if chosen.empty:
            message = f"{self.path('knowledge')}: no row is about {', '.join(AREAS)}; expected the full knowledge table"
            raise SourceFormatError(message)
        without = set(table["symbol"]) - set(chosen["symbol"])
        self.audit.notes.append(
            f"{len(table):,} rows of {table['symbol'].nunique():,} genes; {len(table) - len(chosen):,} are about other"
            f" terms than an area, and {len(without):,} genes have no area and are left out"
        )
        labels = chosen["disease_id"].map(lambda term: (AREAS[term],))
        return chosen[["symbol"]].assign(label=labels)
