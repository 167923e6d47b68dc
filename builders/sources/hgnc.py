"""HGNC: the human gene nomenclature. HLA class and locus group, read from the complete set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.symbols import HGNC

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HgncBuilder"]


class HgncBuilder(GeneTaskBuilder):
    """Tasks made of columns of HGNC's complete set."""

    SOURCE = HGNC
    RULES_VERSION = 1
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="hgnc_hla_class",
            description="Whether a gene of the histocompatibility complex is named as HLA class I (1) or class II (0).",
            target="binary",
            family="biological_process",
            labels=("class_ii", "class_i"),
            column="name",
            paper_name="HLA class I vs class II",
            paper_size=44,
        ),
        TaskConfig(
            name="hgnc_locus_group",
            description="HGNC locus group of the gene: protein-coding gene, non-coding RNA, pseudogene or other.",
            target="multiclass",
            family="genomic",
            column="locus_group",
            made_by="HGNC's curators, on approving the symbol",
            bias="names and summaries state the group; pseudogenes and RNA genes are hardly expressed or studied",
            # The approved name says it: "microRNA 21", "pseudogene 3". Random folds give 0.999.
            ranked=False,
        ),
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        table = self.hgnc("name", "locus_group")
        table = table[table["status"] == "Approved"]
        if config.name == "hgnc_locus_group":
            return pd.DataFrame({"symbol": table["hgnc_id"], "label": table["locus_group"]})
        # Approved names are "major histocompatibility complex, class I, A"; antisense RNAs such as HLA-F-AS1 differ.
        kind = table["name"].str.extract(r"^major histocompatibility complex, class (II?),", expand=False)
        labels = kind.map({"I": "class_i", "II": "class_ii"})
        return pd.DataFrame({"symbol": table["hgnc_id"], "label": labels}).dropna()
