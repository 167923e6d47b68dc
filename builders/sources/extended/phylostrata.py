"""Gene age by phylostratigraphy, of Trigos et al. 2017."""

from __future__ import annotations

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.raw_files import RawFile, Source

__all__ = ["PhylostrataBuilder"]

PHYLOSTRATA = Source(
    name="phylostrata",
    title="Phylostrata of human genes",
    homepage="https://doi.org/10.1073/pnas.1617743114",
    version="2017",
    # Of the repository that has the table.
    license="GPL-3.0",
    license_url="https://www.gnu.org/licenses/gpl-3.0.html",
    redistributable=True,
    citation=(
        "Trigos AS et al. Altered interactions between unicellular and multicellular genes drive hallmarks of"
        " transformation in a diverse range of solid tumors. PNAS. 2017;114(24):6406-6411."
    ),
    files={"strata": RawFile(names=("TPPG17.csv.xz", "TPPG17.csv"), url=None)},
)


class PhylostrataBuilder(GeneTaskBuilder):
    """Phylostrata by Entrez id: the symbols of the table are those of 2017."""

    SOURCE = PHYLOSTRATA
    IDENTIFIERS = ("Entrez",)
    SEPARATOR = ","
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="phylostrata_gene_age",
            description="Phylostratum in which the gene arose, from 1 (all living organisms) to 16 (human only).",
            target="multiclass",
            family="genomic",
            labels=tuple(str(number) for number in range(1, 17)),
            column="Phylostrata",
            made_by="Trigos and colleagues, from the most distant species with an ortholog",
            bias="genes of a family mostly have one age; young genes are short and little studied",
        )
    ]
