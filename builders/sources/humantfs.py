"""The human transcription factors of Lambert et al. 2018."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HumanTfsBuilder"]

HUMANTFS = Source(
    name="humantfs",
    title="The Human Transcription Factors",
    homepage="https://humantfs.ccbr.utoronto.ca/",
    version="1.01",
    releases="1.01",
    license="unknown",
    license_url="https://humantfs.ccbr.utoronto.ca/download.php",
    redistributable=False,
    citation="Lambert SA et al. The Human Transcription Factors. Cell. 2018;172(4):650-665.",
    files={
        "extract": RawFile(
            names=("DatabaseExtract_v_1.01.csv",),
            url="https://humantfs.ccbr.utoronto.ca/download/v_1.01/DatabaseExtract_v_1.01.csv",
        )
    },
)


class HumanTfsBuilder(GeneTaskBuilder):
    """Reviewed as a transcription factor or not, over the proteins that were candidates."""

    SOURCE = HUMANTFS
    # 2: of a row without an Ensembl id, the audit names the symbol.
    RULES_VERSION = 2
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="humantfs_is_tf",
            description="Whether expert review found the candidate to be a transcription factor (1) or not (0).",
            target="binary",
            family="regulatory",
            labels=("not_tf", "tf"),
            column="Is TF?",
            paper_name="TF vs non-TF",
            paper_size=2765,
        )
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        table = self.read("extract", ("Ensembl ID", "HGNC symbol", "Is TF?"), sep=",")
        answers = table["Is TF?"].str.strip()
        if stray := sorted(set(answers) - {"Yes", "No"}):
            message = f"{self.path('extract')}: 'Is TF?' is {stray[0]!r} in some row; expected Yes or No"
            raise SourceFormatError(message)
        labels = answers.map({"Yes": "tf", "No": "not_tf"})
        # Ensembl ids outlive symbols; a few ids are retired and only the symbol is known to HGNC.
        return pd.DataFrame({"symbol": table["Ensembl ID"], "symbol_alt": table["HGNC symbol"], "label": labels})
