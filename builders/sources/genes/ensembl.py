"""Ensembl: one DNA sequence per gene, from the transcripts of a release."""

import re
from pathlib import Path

from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source
from builders.readers.fasta import read_records

__all__ = ["ENSEMBL", "longest_transcripts"]

_NAMES = tuple(f"Homo_sapiens.GRCh38.{kind}.all.fa{packed}" for kind in ("cds", "cdna") for packed in (".gz", ""))
ENSEMBL = Source(
    name="ensembl",
    title="Ensembl",
    homepage="https://ftp.ensembl.org/pub/current_fasta/homo_sapiens/cds/",
    version="latest",
    releases="76 and later (GRCh38)",
    # No licence with an SPDX id: no constraint beyond those of the data's owners, and attribution is expected.
    license="LicenseRef-EMBL-EBI-terms-of-use",
    license_url="https://www.ebi.ac.uk/about/terms-of-use",
    redistributable=True,
    citation="Harrison PW et al. Ensembl 2024. Nucleic Acids Res. 2024;52(D1):D891-D899. doi:10.1093/nar/gkad1049",
    files={
        # For the gene table, where the file is at hand, as UniProt's proteins. Coding sequences come first: the longest
        # transcript is then the longest protein, and not the one whose untranslated end was sequenced furthest. To
        # have those ends, and genes that encode no protein, put only cdna there.
        "transcripts": RawFile(names=_NAMES, url=None, optional=True),
        # Coordinates of genes, for the table of covariates.
        "genes": RawFile(names=("genes_grch38.tsv.gz", "genes_grch38.tsv"), url=None, optional=True),
        # For families of genes, see `builders.folds.families`.
        "pfam": RawFile(
            names=("pfam_domains.txt", "pfam_domains_v99.txt", "mart_export.txt"),
            url=None,
            command="BioMart (ensembl.org/biomart): attributes Gene stable ID and Pfam ID, saved as pfam_domains.txt",
            optional=True,
        ),
    },
)

_HEADER = re.compile(r"(\S+) .*?\bgene:(ENS[A-Z]*G\d+)(?:\.\d+)?(?: .*)?")
# ENSMUSG and others are genes of other species.
_HUMAN = "ENSG"
# GRCh38 has a few dozen bases that are known to be one of two or three. DNA models have no token for those.
_TO_N = str.maketrans("RYSWKMBDHVryswkmbdhvn", "N" * 21)


def longest_transcripts(path: Path) -> dict[str, str]:
    """Sequence of the longest transcript by Ensembl gene id, without version; of equals, the first by transcript id.

    Args:
        path: FASTA with `gene:ENSG...` in its headers (`cds.all` or `cdna.all`), gzipped or not.

    Returns:
        Letters A, C, G, T, and N for a base that is not known for sure.

    Raises:
        SourceFileError: The file cannot be read.
        SourceFormatError: A line is not FASTA of DNA, or a header not Ensembl's.
    """
    best: dict[str, tuple[int, str, str]] = {}
    for line, header, sequence in read_records(path, letters="ACGTNRYSWKMBDHVacgtnryswkmbdhv", kind="DNA"):
        match = _HEADER.fullmatch(header)
        if match is None:
            message = f"{path}: line {line} is not an Ensembl header '>ENST... cds chromosome:... gene:ENSG... ...'"
            raise SourceFormatError(message)
        transcript, gene = match.groups()
        rank = (-len(sequence), transcript, sequence)
        if sequence and gene.startswith(_HUMAN) and (gene not in best or rank < best[gene]):
            best[gene] = rank
    return {gene: sequence.translate(_TO_N).upper() for gene, (_, _, sequence) in best.items()}
