"""The druggable genome of Finan et al. 2017, in tiers."""

from __future__ import annotations

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.raw_files import RawFile, Source

__all__ = ["FinanBuilder"]

FINAN = Source(
    name="finan2017",
    title="The druggable genome",
    homepage="https://doi.org/10.1126/scitranslmed.aag1166",
    version="2017",
    # Of the repository that has the table.
    license="CC-BY-NC-SA-4.0",
    license_url="https://creativecommons.org/licenses/by-nc-sa/4.0/",
    redistributable=False,
    citation=(
        "Finan C et al. The druggable genome and support for target identification and validation in drug development."
        " Sci Transl Med. 2017;9(383):eaag1166."
    ),
    files={"tiers": RawFile(names=("druggability_finan_et_al_2017.csv",), url=None)},
)


class FinanBuilder(GeneTaskBuilder):
    """Tiers of the druggable genes; the others have no row."""

    SOURCE = FINAN
    IDENTIFIERS = ("ensembl_gene_id",)
    SEPARATOR = ","
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="finan2017_druggability_tier",
            description=(
                "Tier of the druggable gene: 1 target of a drug or candidate, 2 binds drug-like molecules or is much"
                " like a target, 3A and 3B secreted, extracellular or of a druggable family, less like a target."
            ),
            target="multiclass",
            family="protein",
            column="druggability_tier",
            ranked=False,
            on_request=True,
            made_by="Finan and colleagues, from ChEMBL, sequence similarity to drug targets and GO locations",
            bias="tiers 2 and 3 are defined by similarity to targets, which a family lookup knows",
        )
    ]
