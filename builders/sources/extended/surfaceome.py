"""SURFY: the proteins that a classifier and experiments find at the surface of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.raw_files import RawFile, Source
from builders.sources.extended.background import against_others

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SurfaceomeBuilder"]

SURFACEOME = Source(
    name="surfaceome",
    title="SURFY",
    homepage="https://wlab.ethz.ch/surfaceome/",
    version="2018",
    # Of the package that has the table in this form.
    license="MIT",
    license_url="https://wlab.ethz.ch/surfaceome/",
    redistributable=True,
    citation="Bausch-Fluck D et al. The in silico human surfaceome. PNAS. 2018;115(46):E10988-E10997.",
    files={"surface": RawFile(names=("surfy_surfaceome_only.tsv",), url=None)},
)


class SurfaceomeBuilder(GeneTaskBuilder):
    """The table lists surface proteins only: the other genes that encode a reviewed protein are negatives."""

    SOURCE = SURFACEOME
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="surfaceome_is_surface",
            description="Whether the protein is at the surface of cells (1) or not (0).",
            target="binary",
            family="localization",
            labels=("not_surface", "surface"),
            made_by=(
                "Bausch-Fluck and colleagues: a random forest on topology, glycosylation sites and signal peptides"
                " that learned from cell-surface proteomics, and UniProt's GPI anchors"
            ),
            bias="the classifier read the sequence; transporters and receptors come in families",
        )
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        table = self.read("surface", ("UniProt accession", "UniProt gene"))
        # Accessions of HLA alleles are not HGNC's any more; the gene beside them is no negative.
        names = table["UniProt gene"].tolist()
        listed = table["UniProt accession"].tolist()
        return against_others(self, listed, config.labels or (), also_named=names, with_protein=True)
