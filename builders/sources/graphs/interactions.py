"""Protein interactions as plain pairs of genes: HuRI and BioGRID."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.config import TableConfig
from builders.raw_files import RawFile, Source
from builders.readers.tables import read_table
from builders.sources.graphs.edges import EdgesBuilder, edges_config

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BIOGRID", "HURI", "BiogridBuilder", "HuriBuilder"]

HURI = Source(
    name="huri",
    title="Human Reference Interactome",
    homepage="http://www.interactome-atlas.org",
    version="HuRI",
    license="CC-BY-4.0",
    license_url="http://www.interactome-atlas.org/download",
    redistributable=True,
    citation="Luck K et al. A reference map of the human binary protein interactome. Nature. 2020;580:402-408.",
    files={
        "pairs": RawFile(names=("HuRI.tsv",), url="http://www.interactome-atlas.org/data/HuRI.tsv"),
    },
)
BIOGRID = Source(
    name="biogrid",
    title="BioGRID",
    homepage="https://thebiogrid.org",
    version="3.4.126",
    releases="human pairs of Entrez ids of release 3.4.126, or any table in their layout",
    license="MIT",
    license_url="https://wiki.thebiogrid.org/doku.php/terms_and_conditions",
    redistributable=True,
    citation="Oughtred R et al. The BioGRID database. Protein Sci. 2021;30:187-200. doi:10.1002/pro.3978",
    files={
        "pairs": RawFile(
            names=("biogrid_human_entrez.tsv.gz", "biogrid_human_entrez.tsv", "biogrid_3.4.126_human_entrez.tsv.gz"),
            url=None,
            command="columns 'Entrez Gene Interactor A' and 'B' of BIOGRID-ORGANISM-Homo_sapiens.tab3.txt, human pairs,"
            " as entrezID_A and entrezID_B",
        )
    },
)


class HuriBuilder(EdgesBuilder):
    """Pairs of a systematic yeast two-hybrid screen, so that well studied genes have no more partners than others."""

    SOURCE = HURI
    BUILDER_CONFIGS = [  # noqa: RUF012
        edges_config("graph_huri", "Binary protein interactions of one systematic screen, as an undirected graph.")
    ]

    def rows(self, config: TableConfig) -> pd.DataFrame:  # noqa: D102
        pairs = read_table(self.path("pairs"), ("a", "b"), header=False)
        return self.gene_edges(pairs.assign(weight=1.0))


class BiogridBuilder(EdgesBuilder):
    """Pairs curated from publications; the file says neither how a pair was found nor how often."""

    SOURCE = BIOGRID
    BUILDER_CONFIGS = [  # noqa: RUF012
        edges_config("graph_biogrid", "Interactions of human genes curated by BioGRID, as an undirected graph.")
    ]

    def rows(self, config: TableConfig) -> pd.DataFrame:  # noqa: D102
        columns = ("entrezID_A", "entrezID_B")
        renamed = (("Entrez Gene Interactor A", columns[0]), ("Entrez Gene Interactor B", columns[1]))
        table = self.table(self.path("pairs"), columns, renamed=renamed)
        pairs = table[[]].assign(a=table[columns[0]], b=table[columns[1]], weight=1.0)
        return self.gene_edges(pairs)
