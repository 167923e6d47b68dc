"""mRNA half-life, of Agarwal and Kelley 2022."""

from __future__ import annotations

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.raw_files import RawFile, Source

__all__ = ["SalukiBuilder"]

SALUKI = Source(
    name="saluki",
    title="mRNA half-lives of Saluki",
    homepage="https://doi.org/10.1186/s13059-022-02811-x",
    version="2022",
    license="Apache-2.0",
    license_url="https://www.apache.org/licenses/LICENSE-2.0",
    redistributable=True,
    citation=(
        "Agarwal V, Kelley DR. The genetic and biochemical determinants of mRNA degradation rates in mammals."
        " Genome Biol. 2022;23(1):245."
    ),
    files={"half_lives": RawFile(names=("all_HLs_human_PC1.txt",), url=None)},
)
FIRST_COMPONENT = "human_PC1"


class SalukiBuilder(GeneTaskBuilder):
    """The first principal component of half-lives over human data sets: no time, but higher is more stable."""

    SOURCE = SALUKI
    IDENTIFIERS = ("ensembl_gene_id",)
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="saluki_mrna_half_life",
            description="Stability of the mRNA: first principal component of its half-lives in human cells (no unit).",
            target="regression",
            family="regulatory",
            column=FIRST_COMPONENT,
            made_by="Agarwal and Kelley, from published data sets of human cells",
            bias="only expressed genes have a value; codons and transcript length tell part of it",
        )
    ]
