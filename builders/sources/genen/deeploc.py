"""DeepLoc 1.0: where proteins are in the cell, and whether they are soluble, from UniProt's experimental evidence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source
from builders.readers.fasta import read_records
from builders.symbols import Status

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DEEPLOC", "DeeplocBuilder"]

DEEPLOC = Source(
    name="deeploc",
    title="DeepLoc 1.0",
    homepage="https://services.healthtech.dtu.dk/services/DeepLoc-1.0/",
    version="1.0",
    license="unknown",
    license_url="https://services.healthtech.dtu.dk/services/DeepLoc-1.0/",
    redistributable=False,
    citation="Almagro Armenteros JJ et al. DeepLoc. Bioinformatics. 2017;33(21):3387-3395.",
    files={
        "locations": RawFile(
            names=("deeploc_annotations.csv",), url=None, command="see its page; columns identifier, label"
        ),
        "proteins": RawFile(
            names=("deeploc_data.fasta", "deeploc_test_set.fasta"), url=None, command="see its page: deeploc_data.fasta"
        ),
    },
)
_HEADER = re.compile(r"(\S+) (\S+)-([MSU])(?: test)?")
FORMS = {"M": "Membrane", "S": "Soluble"}


class DeeplocBuilder(GeneTaskBuilder):
    """Proteins by UniProt accession, of which those of human genes are taken; others count as unmapped.

    A protein whose form is unknown (U) is no row. A gene whose proteins disagree is dropped and counted.
    """

    SOURCE = DEEPLOC
    RESOLVE_BY: ClassVar[tuple[Status, ...]] = ("uniprot",)
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="deeploc_location",
            description="In which of ten compartments DeepLoc has the gene's protein.",
            target="multiclass",
            family="localization",
            files=("locations",),
        ),
        TaskConfig(
            name="deeploc_solubility",
            description="Whether DeepLoc has the gene's protein as membrane-bound (1) or soluble (0).",
            target="binary",
            family="localization",
            labels=("Soluble", "Membrane"),
            files=("proteins",),
        ),
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        if config.name == "deeploc_location":
            table = self.read("locations", ("identifier", "label"), sep=",")
            return table[[]].assign(symbol=table["identifier"], label=table["label"].str.replace(".", " "))
        path, rows, n_unknown = self.path("proteins"), [], 0
        for record in read_records(path, letters="A-Za-z*-", kind="protein"):
            match = _HEADER.fullmatch(record.header.strip())
            if match is None:
                message = f"{path}: line {record.line} is not DeepLoc's header '>ACCESSION Location-M|S|U [test]'"
                raise SourceFormatError(message)
            if match[3] in FORMS:
                rows.append((match[1], FORMS[match[3]]))
            else:
                n_unknown += 1
        self.audit.notes.append(f"{n_unknown:,} proteins whose form is unknown are left out")
        return pd.DataFrame(rows, columns=["symbol", "label"])
