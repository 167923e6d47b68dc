"""ClinGen: how sure it is that one copy of a gene is not enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source
from builders.readers.archives import read_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClinGenBuilder"]

CLINGEN = Source(
    name="clingen",
    title="ClinGen dosage sensitivity",
    homepage="https://search.clinicalgenome.org/kb/gene-dosage",
    version="latest",
    license="CC0-1.0",
    license_url="https://clinicalgenome.org/docs/terms-of-use/",
    redistributable=True,
    citation="Rehm HL et al. ClinGen - The Clinical Genome Resource. N Engl J Med. 2015;372(23):2235-2242.",
    files={
        "haploinsufficiency": RawFile(
            names=("ClinGen_haploinsufficiency_gene_GRCh38.bed",),
            url="http://ftp.clinicalgenome.org/ClinGen_haploinsufficiency_gene_GRCh38.bed",
        )
    },
)
# ClinGen's scores, in the order of its evidence; 30 and 40 are outside of that order.
GRADES = {
    "0": "no_evidence",
    "1": "little_evidence",
    "2": "emerging_evidence",
    "3": "sufficient_evidence",
    "30": "autosomal_recessive",
    "40": "unlikely",
}


class ClinGenBuilder(GeneTaskBuilder):
    """Grades of the genes that curators have looked at; no other gene has a row."""

    SOURCE = CLINGEN
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="clingen_haploinsufficiency",
            description=(
                "ClinGen's grade of evidence that loss of one copy causes disease, or that the gene is recessive or"
                " that it is unlikely; over the genes curated."
            ),
            target="multiclass",
            family="genomic",
            labels=tuple(GRADES.values()),
            made_by="ClinGen's curators, from published patients",
            bias="only genes suspected in disease are curated, and a grade rises with what is published",
        )
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        path, rows = self.path("haploinsufficiency"), []
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            if not line or line.startswith(("track", "browser", "#")):
                continue
            cells = line.split("\t")
            if len(cells) != 5 or cells[4] not in GRADES:
                message = f"{path}: line {number} is not 'chromosome, start, end, gene, score' with a score of"
                message += f" {', '.join(GRADES)}: {line[:60]!r}"
                raise SourceFormatError(message)
            rows.append((cells[3], GRADES[cells[4]]))
        return pd.DataFrame(rows, columns=["symbol", "label"])
