"""What is known about each gene besides its function: how much is published on it, how long it is, and the like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TableConfig
from builders.errors import MissingFileError
from builders.folds.families import FAMILIES, PFAM
from builders.folds.genes import read_gene_groups
from builders.raw_files import RawFile, Source
from builders.sources.genes.builder import NCBI_GENE, described
from builders.sources.genes.ensembl import ENSEMBL
from builders.symbols import HGNC

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COVARIATES", "CovariatesBuilder"]

COVARIATES = Source(
    name="gene_properties",
    title="Transcript length and GC content",
    homepage="https://www.ensembl.org/biomart",
    version="latest",
    # Derived from Ensembl's transcripts; who made the table states no terms.
    license="unknown",
    license_url=ENSEMBL.license_url,
    redistributable=False,
    citation=ENSEMBL.citation,
    files={"transcripts": RawFile(names=("gene_length_gc.tsv",), url=None, optional=True)},
)
STRING = Source(
    name="string",
    title="STRING",
    homepage="https://string-db.org",
    version="12",
    license="CC-BY-4.0",
    license_url="https://creativecommons.org/licenses/by/4.0/",
    redistributable=True,
    citation="Szklarczyk D et al. The STRING database in 2023. Nucleic Acids Res. 2023;51(D1):D638-D646.",
    files={"network": RawFile(names=("string_v12_ntm_700_entrez.tsv.gz",), url=None, optional=True)},
)
HPA_TISSUES = Source(
    name="hpa",
    title="Human Protein Atlas",
    homepage="https://v21.proteinatlas.org/about/download",
    version="21",
    license="CC-BY-SA-3.0",
    license_url="https://www.proteinatlas.org/about/licence",
    redistributable=True,
    citation="Uhlen M et al. Tissue-based map of the human proteome. Science. 2015;347(6220):1260419.",
    files={
        "tissues": RawFile(
            names=("rna_tissue_consensus.tsv.zip", "rna_tissue_consensus.tsv", "v21/rna_tissue_consensus.tsv.zip"),
            url=None,
            optional=True,
        )
    },
)
_NUMBERS = ("publications", "text_length", "transcript_length", "gene_length", "gc", "expression", "degree")
_INPUTS = {
    "publications": (NCBI_GENE, "publications"),
    "text_length": (NCBI_GENE, "summary"),
    "transcript_length": (COVARIATES, "transcripts"),
    "gene_length": (ENSEMBL, "genes"),
    "gc": (COVARIATES, "transcripts"),
    "expression": (HPA_TISSUES, "tissues"),
    "degree": (STRING, "network"),
    "family": PFAM,
}
CODING = "protein-coding gene"


class CovariatesBuilder(GeneTaskBuilder):
    """A row for each approved gene; a column for each covariate whose file is there.

    A value that the source does not have is null. Where a source lists only what it found, absence means 0: a gene with
    an NCBI Gene id that is not in the list of publications has no publications, and a protein-coding gene that is not
    in the network has no neighbours. Definitions: docs/methods.md.
    """

    SOURCE = COVARIATES
    RULES_VERSION = 1
    BUILDER_CONFIGS = [  # noqa: RUF012
        TableConfig(
            name="gene_covariates",
            description="What could explain a label beside function: publications, lengths, GC, expression, degree.",
            features={
                "symbol": "string",
                **dict.fromkeys(_NUMBERS, "float64"),
                "chromosome": "string",
                "family": "string",
            },
        )
    ]

    def inputs(self, config: TableConfig) -> list[tuple[Source, str]]:  # noqa: D102
        # The transcripts of one file give two columns.
        once = {(origin.name, key): (origin, key) for origin, key in _INPUTS.values()}
        return [(HGNC, "complete_set"), *once.values(), (FAMILIES, "tables")]

    @classmethod
    def column_origins(cls, config: TableConfig) -> dict[str, Source]:  # noqa: D102
        return {"symbol": HGNC, "chromosome": HGNC, **{column: origin for column, (origin, _) in _INPUTS.items()}}

    def locate(self, origin: Source, key: str) -> Path | None:
        """Every file but HGNC's may be absent."""
        try:
            return super().locate(origin, key)
        except MissingFileError:
            if origin is HGNC:
                raise
            return None

    def rows(self, config: TableConfig) -> pd.DataFrame:  # noqa: D102
        hgnc = self.hgnc("name", "locus_group", "location")
        hgnc = hgnc[hgnc["status"] == "Approved"].sort_values("symbol", ignore_index=True)
        table = hgnc[["symbol"]].copy()
        makers: Mapping[str, Callable[[Path, pd.DataFrame], pd.Series]] = {
            "publications": self._publications,
            "text_length": self._text_length,
            "transcript_length": self._transcript("length"),
            "gene_length": self._gene_length,
            "gc": self._transcript("gccontent"),
            "expression": self._expression,
            "degree": self._degree,
        }
        for name, make in makers.items():
            origin, key = _INPUTS[name]
            if (path := self._paths[origin.name, key]) is None:
                self.audit.notes.append(
                    f"no column {name}, since {origin.name}/{origin.files[key].names[0]} is not there"
                )
                continue
            table[name] = make(path, hgnc).to_numpy(dtype=float)
            n = int(table[name].isna().sum())
            self.audit.notes.append(f"{name}: {origin.title}, {path.name}; unknown for {n:,} of {len(table):,} genes")
        groups = read_gene_groups(
            self.hgnc(),
            self.resolver(),
            domains=self._paths[PFAM[0].name, PFAM[1]],
            tables=self._paths[FAMILIES.name, "tables"],
        )
        if groups.chromosomes is not None:
            table["chromosome"] = table["symbol"].map(groups.chromosomes)
        if groups.families is not None:
            table["family"] = [groups.families.get(symbol, symbol) for symbol in table["symbol"]]
        self.audit.notes += [f"no column {name}: {reason}" for name, reason in groups.absent.items()]
        return table

    def _publications(self, path: Path, hgnc: pd.DataFrame) -> pd.Series:
        """Distinct PubMed ids of the gene, 0 where NCBI lists none."""
        import pandas as pd

        if path.name.startswith("gene2pubmed."):
            pairs = self.table(path, ("tax_id", "GeneID", "PubMed_ID")).drop_duplicates()
            counts = Counter(pairs.loc[pairs["tax_id"] == "9606", "GeneID"].tolist())
        else:
            table = self.table(path, ("GeneID", "n_pubmed"), renamed=(("n_publications", "n_pubmed"),))
            counts = Counter(dict(zip(table["GeneID"], table["n_pubmed"].astype(int), strict=True)))
        found = hgnc["entrez_id"].map(lambda number: counts[number]).astype(float)
        return found.where(hgnc["entrez_id"] != "", pd.NA)

    def _text_length(self, path: Path, hgnc: pd.DataFrame) -> pd.Series:
        """Characters of the description that text models read."""
        return described(self, path, hgnc)["description"].str.len()

    def _transcript(self, column: str) -> Callable[[Path, pd.DataFrame], pd.Series]:
        def read(path: Path, hgnc: pd.DataFrame) -> pd.Series:
            table = self.table(path, ("ensembl", column))
            return hgnc["ensembl_gene_id"].map(dict(zip(table["ensembl"], table[column].astype(float), strict=True)))

        return read

    def _gene_length(self, path: Path, hgnc: pd.DataFrame) -> pd.Series:
        """From the first to the last base on the chromosome."""
        table = self.table(path, ("ensgene", "start", "end"))
        lengths = table["end"].astype(int) - table["start"].astype(int) + 1
        return hgnc["ensembl_gene_id"].map(dict(zip(table["ensgene"], lengths, strict=True)))

    def _expression(self, path: Path, hgnc: pd.DataFrame) -> pd.Series:
        """Mean consensus nTPM over tissues."""
        table = self.table(path, ("Gene", "Tissue", "nTPM"))
        means = table["nTPM"].astype(float).groupby(table["Gene"]).mean()
        return hgnc["ensembl_gene_id"].map(means)

    def _degree(self, path: Path, hgnc: pd.DataFrame) -> pd.Series:
        """Distinct neighbours in the network, 0 for a protein-coding gene that has none."""
        table = self.table(path, ("entrez_a", "entrez_b"))
        edges = {tuple(sorted(pair)) for pair in zip(table["entrez_a"], table["entrez_b"], strict=True)}
        counts = Counter(gene for one, two in edges if one != two for gene in (one, two))
        known = hgnc["entrez_id"].isin(counts) | (hgnc["locus_group"] == CODING)
        return hgnc["entrez_id"].map(lambda number: counts[number]).astype(float).where(known)
