"""gnomAD: how much rarer variants that break a gene are than expected."""

from __future__ import annotations

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.raw_files import RawFile, Source

__all__ = ["GnomadBuilder"]

GNOMAD = Source(
    name="gnomad",
    title="gnomAD constraint",
    homepage="https://gnomad.broadinstitute.org/downloads#v2-constraint",
    version="2.1.1",
    # Pages that copy the table name different terms.
    license="unknown",
    license_url="https://gnomad.broadinstitute.org/policies",
    redistributable=False,
    citation=(
        "Karczewski KJ et al. The mutational constraint spectrum quantified from variation in 141,456 humans."
        " Nature. 2020;581(7809):434-443."
    ),
    files={
        "by_gene": RawFile(
            names=("gnomad.v2.1.1.lof_metrics.by_gene.txt.bgz", "lof_metrics.by_gene.tsv.gz"),
            url=(
                "https://storage.googleapis.com/gcp-public-data--gnomad/release/2.1.1/constraint/"
                "gnomad.v2.1.1.lof_metrics.by_gene.txt.bgz"
            ),
        )
    },
)
LOEUF = "oe_lof_upper"


class GnomadBuilder(GeneTaskBuilder):
    """LOEUF of the gene's canonical transcript; a gene for which too few variants are expected has no value."""

    SOURCE = GNOMAD
    # Ensembl ids of GRCh37, of which some are retired; the symbol beside them is known to HGNC.
    IDENTIFIERS = ("gene_id", "gene")
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="gnomad_constraint",
            description=(
                "LOEUF: upper bound of observed over expected loss-of-function variants; low where losing the gene"
                " harms."
            ),
            target="regression",
            family="genomic",
            column=LOEUF,
            made_by="the gnomAD consortium, from variants in 125,748 exomes and a model of mutation rates",
            bias="the interval is wider for short genes, so that length alone tells part of it",
        )
    ]
