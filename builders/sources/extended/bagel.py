"""BAGEL's reference sets of genes that human cells do and do not need to grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.raw_files import RawFile, Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BagelBuilder"]

_URL = "https://raw.githubusercontent.com/hart-lab/bagel/master"
BAGEL = Source(
    name="bagel",
    title="BAGEL reference sets",
    homepage="https://github.com/hart-lab/bagel",
    version="CEGv2, NEGv1",
    license="MIT",
    license_url="https://github.com/hart-lab/bagel/blob/master/LICENSE",
    redistributable=True,
    citation=(
        "Hart T et al. Evaluation and Design of Genome-Wide CRISPR/SpCas9 Knockout Screens. G3. 2017;7(8):2719-2727."
        " Hart T et al. Measuring error rates in genomic perturbation screens. Mol Syst Biol. 2014;10(7):733."
    ),
    files={
        "core_essential": RawFile(names=("CEGv2.txt",), url=f"{_URL}/CEGv2.txt"),
        "non_essential": RawFile(names=("NEGv1.txt",), url=f"{_URL}/NEGv1.txt"),
    },
)


class BagelBuilder(GeneTaskBuilder):
    """Genes of the two lists; no other gene has a row."""

    SOURCE = BAGEL
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="bagel_core_essential",
            description="Whether all human cell lines need the gene to grow (1) or none does (0).",
            target="binary",
            family="genomic",
            labels=("non_essential", "core_essential"),
            made_by=(
                "Hart and colleagues: core essential by CRISPR screens of many cell lines; non-essential by little RNA"
                " over tissues and cell lines and no effect in RNAi screens"
            ),
            bias="the non-essential genes are silent in cell lines, so that expression alone tells most of them",
        )
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        listed = {label: self.read(label, ("GENE",))["GENE"] for label in config.labels or ()}
        return pd.concat([pd.DataFrame({"symbol": genes, "label": label}) for label, genes in listed.items()])
