"""Housekeeping genes, of Eisenberg and Levanon 2013."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.raw_files import RawFile, Source
from builders.readers.archives import read_text
from builders.sources.extended.background import against_others

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HousekeepingBuilder"]

HOUSEKEEPING = Source(
    name="housekeeping",
    title="Human housekeeping genes",
    homepage="https://www.tau.ac.il/~elieis/HKG/",
    version="2013",
    license="unknown",
    license_url="https://www.tau.ac.il/~elieis/HKG/",
    redistributable=False,
    citation="Eisenberg E, Levanon EY. Human housekeeping genes, revisited. Trends Genet. 2013;29(10):569-574.",
    files={"genes": RawFile(names=("HK_genes_2col.txt",), url=None)},
)


class HousekeepingBuilder(GeneTaskBuilder):
    """The list names housekeeping genes only: the other protein-coding genes are negatives."""

    SOURCE = HOUSEKEEPING
    # Symbols as HGNC wrote them then.
    RESOLVE_BY = ("current", "previous", "alias")
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="housekeeping_is_housekeeping",
            description="Whether the gene is expressed evenly in all tissues (1) or not (0).",
            target="binary",
            family="localization",
            labels=("other", "housekeeping"),
            made_by=(
                "Eisenberg and Levanon, from RNA of 16 tissues (Illumina BodyMap): detected in all, with low variance"
            ),
            bias="a label is computed from expression, so that expression profiles of tissues contain it",
        )
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        # No table for the reader: symbols end with a blank, and some with a second tab.
        lines = read_text(self.path("genes")).splitlines()
        listed = [line.partition("\t")[0].strip() for line in lines if line.strip()]
        return against_others(self, listed, config.labels or ())
