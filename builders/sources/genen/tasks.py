"""The eight tasks of Genen (2024), from the label files of its authors' earlier repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import Family, TaskConfig
from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GENELLM", "LITGENE", "GenellmBuilder", "LitgeneBuilder"]

BIVALENT = "Bivalent"
LITGENE = Source(
    name="litgene",
    title="LitGene",
    homepage="https://github.com/vinash85/LitGene",
    version="2024-09",
    license="unknown",
    license_url="https://github.com/vinash85/LitGene",
    redistributable=False,
    citation="Labels of Genen and LitGene (2024); most are of Theodoris CV et al. Nature. 2023;618:616-624.",
    files={
        name: RawFile(names=(f"{file}.csv",), url=None, command="git clone https://github.com/vinash85/LitGene")
        for name, file in {
            "dosage": "DosageSensitivity",
            "lys4": "BivalentVsLys4",
            "non_methylated": "BivalentVsNonMethylated",
            "range": "Tf_range",
            "targets": "TF_target_type",
        }.items()
    },
)
GENELLM = Source(
    name="genellm",
    title="GeneLLM",
    homepage="https://github.com/vinash85/old_LitGene",
    version="2023-10",
    license="MIT",
    license_url="https://github.com/vinash85/old_LitGene",
    redistributable=True,
    citation="Labels of GeneLLM and Genen (2023, 2024), from UniProt, DeepLoc 1.0 and phastCons.",
    files={
        name: RawFile(names=(f"{file}.csv",), url=None, command="git clone https://github.com/vinash85/old_LitGene")
        for name, file in {
            "solubility": "solubility",
            "location": "subcellular_location",
            "conservation": "phastcons",
        }.items()
    },
)


def _binary(name: str, file: str, labels: tuple[str, str], description: str, family: Family, column: str) -> TaskConfig:
    return TaskConfig(
        name=f"genen_{name}",
        description=description,
        target="binary",
        family=family,
        labels=labels,
        column=column,
        files=(file,),
    )


class LitgeneBuilder(GeneTaskBuilder):
    """Labels by name (`StrLabel`), since their numbers differ from file to file; a gene with two of a task is dropped.

    `TF_target_type.csv` has the targets of two factors in one list: each makes a task, direct targets against indirect
    ones. Its housekeeping genes, nine, are in neither; targets of both are direct ones of each already.
    """

    SOURCE = LITGENE
    BUILDER_CONFIGS = [  # noqa: RUF012
        _binary(
            "dosage_sensitivity",
            "dosage",
            ("DosageInsensitive", "DosageSensitive"),
            "Whether a transcription factor is sensitive (1) or insensitive (0) to the number of its gene copies.",
            "genomic",
            "StrLabel",
        ),
        _binary(
            "bivalent_vs_lys4",
            "lys4",
            ("Lys4Only", BIVALENT),
            "Whether the promoter is bivalent, with Lys4 and Lys27 of histone H3 methylated (1), or has only Lys4 (0).",
            "genomic",
            "StrLabel",
        ),
        _binary(
            "bivalent_vs_non_methylated",
            "non_methylated",
            ("NonMethylated", BIVALENT),
            "Whether the promoter is bivalent, with Lys4 and Lys27 of histone H3 methylated (1), or has neither (0).",
            "genomic",
            "StrLabel",
        ),
        _binary(
            "tf_range",
            "range",
            ("Short_range", "Long_range"),
            "Whether a transcription factor regulates over a long (1) or a short (0) range.",
            "regulatory",
            "StrLabel",
        ),
        *(
            _binary(
                f"tf_target_{factor}",
                "targets",
                (f"{factor}_indirect", f"{factor}_direct"),
                f"Whether the gene is a direct (1) or an indirect (0) target of the factor {factor.upper()}.",
                "regulatory",
                "StrLabel",
            )
            for factor in ("gata4", "tbx5")
        ),
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        (key,) = config.files
        table = self.read(key, ("Gene name", "StrLabel"), sep=",")
        labels = table["StrLabel"].str.strip()
        assert config.labels is not None
        if key == "targets":
            kept = labels.isin(config.labels)
            self.audit.notes.append(f"{int((~kept).sum()):,} rows are of the other factor, of both or housekeeping")
            table, labels = table[kept], labels[kept]
        elif key == "non_methylated":
            # Nobody has said what the file calls the genes that are not bivalent.
            others = sorted(set(labels) - {BIVALENT})
            if len(others) != 1:
                message = (
                    f"{self.path(key)}: labels are {', '.join(sorted(set(labels)))}; expected {BIVALENT} and one more"
                )
                raise SourceFormatError(message)
            labels = labels.where(labels == BIVALENT, config.labels[0])
        return table[[]].assign(symbol=table["Gene name"], label=labels)


class GenellmBuilder(GeneTaskBuilder):
    """Labels by gene symbol; values that are not available are no rows."""

    SOURCE = GENELLM
    IDENTIFIERS = ("GeneSymbol",)
    SEPARATOR = ","
    BUILDER_CONFIGS = [  # noqa: RUF012
        _binary(
            "solubility",
            "solubility",
            ("Soluble", "Membrane"),
            "Whether DeepLoc has the gene's protein as membrane-bound (1) or soluble (0).",
            "localization",
            "Solubility",
        ),
        TaskConfig(
            name="genen_location",
            description="Where in the cell UniProt has the gene's protein first: cytoplasm, nucleus or cell membrane.",
            target="multiclass",
            family="localization",
            column="Subcellular_location",
            files=("location",),
        ),
        TaskConfig(
            name="genen_conservation",
            description="Mean phastCons score of the gene; its authors state neither window nor clade.",
            target="regression",
            family="genomic",
            column="Conservation",
            files=("conservation",),
        ),
    ]
