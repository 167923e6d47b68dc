"""Imprinted genes, by the catalogues geneimprint and Otago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.raw_files import RawFile, Source
from builders.sources.extended.background import CODING, against_others

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ImprintedBuilder"]

IMPRINTED = Source(
    name="imprinted",
    title="Imprinted genes of geneimprint and Otago",
    homepage="https://www.geneimprint.com/site/genes-by-species.Homo+sapiens",
    version="2015",
    license="unknown",
    license_url="https://www.geneimprint.com/",
    redistributable=False,
    citation=(
        "Jirtle RL. geneimprint.com. Morison IM et al. A census of mammalian imprinting. Trends Genet."
        " 2005;21(8):457-465."
    ),
    files={"genes": RawFile(names=("imprinted_genes_information.txt",), url=None)},
)


class ImprintedBuilder(GeneTaskBuilder):
    """The list names imprinted genes only, RNA genes among them: other coding and RNA genes are negatives."""

    SOURCE = IMPRINTED
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="imprinted_is_imprinted",
            description="Whether the gene is imprinted, predicted ones included (1), or not known to be (0).",
            target="binary",
            family="regulatory",
            labels=("not_known", "imprinted"),
            from_annotation=True,
            made_by="the curators of geneimprint and of the Otago catalogue, from publications and one prediction",
            bias="imprinted genes lie in clusters, so that neighbours on a chromosome share the label",
        )
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        listed = self.read("genes", ("gene",))["gene"].tolist()
        return against_others(self, listed, config.labels or (), locus_groups=(CODING, "non-coding RNA"))
