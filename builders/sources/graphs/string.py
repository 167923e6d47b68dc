"""STRING: functional associations of proteins, with a score for each channel of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.config import TableConfig
from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source
from builders.readers.tables import read_table
from builders.sources.graphs.edges import EdgesBuilder, edges_config

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CHANNELS", "STRING_GRAPH", "StringBuilder"]

# The column of a channel in our table -> its names in STRING's files. "_transferred" comes from other species.
CHANNELS = {
    "neighborhood": ("neighborhood", "neighborhood_transferred"),
    "fusion": ("fusion",),
    "cooccurrence": ("cooccurence",),
    "coexpression": ("coexpression", "coexpression_transferred"),
    "experiments": ("experiments", "experimental", "experiments_transferred"),
    "database": ("database", "database_transferred"),
    "textmining": ("textmining", "textmining_transferred"),
}
SCORE = "combined_score"
_DOWNLOADS = "https://stringdb-downloads.org/download"
_LINKS = ("protein.links.full", "protein.links.detailed", "protein.links")
STRING_GRAPH = Source(
    name="string",
    title="STRING",
    homepage="https://string-db.org",
    version="12.0",
    releases="11.5 and 12.0: protein.links (full, detailed or plain), or a table of Entrez pairs",
    license="CC-BY-4.0",
    license_url="https://string-db.org/cgi/access",
    redistributable=True,
    citation=(
        "Szklarczyk D et al. The STRING database in 2023. Nucleic Acids Res. 2023;51(D1):D638-D646."
        " doi:10.1093/nar/gkac1000"
    ),
    files={
        "links": RawFile(
            names=(
                *(f"9606.{kind}.v{version}.txt.gz" for version in ("12.0", "11.5") for kind in _LINKS),
                "string_v12_ntm_700_entrez.tsv.gz",
            ),
            url=f"{_DOWNLOADS}/protein.links.detailed.v12.0/9606.protein.links.detailed.v12.0.txt.gz",
        ),
        # Names of the proteins, for files of links between them.
        "proteins": RawFile(
            names=("9606.protein.info.v12.0.txt.gz", "9606.protein.info.v11.5.txt.gz"),
            url=f"{_DOWNLOADS}/protein.info.v12.0/9606.protein.info.v12.0.txt.gz",
            optional=True,
        ),
    },
)


class StringBuilder(EdgesBuilder):
    """Pairs of genes whose proteins STRING associates; scores are STRING's, divided by 1,000.

    Of a channel with a score of its own and one transferred from other species, the larger stands.
    """

    SOURCE = STRING_GRAPH
    BUILDER_CONFIGS = [  # noqa: RUF012
        edges_config(
            "graph_string",
            "STRING's associations of human proteins as an undirected graph of genes: combined score as weight, and the"
            " score of each channel that the file has.",
            dict.fromkeys(CHANNELS, "float64"),
        )
    ]

    def rows(self, config: TableConfig) -> pd.DataFrame:  # noqa: D102
        path = self.path("links")
        is_of_proteins = ".protein.links" in path.name
        ids = ("protein1", "protein2") if is_of_proteins else ("entrez_a", "entrez_b")
        table = self.table(path, (*ids, SCORE), sep=" " if is_of_proteins else "\t")
        pairs = table[[]].assign(weight=self._score(table, (SCORE,)))
        for channel, columns in CHANNELS.items():
            if there := [name for name in columns if name in table]:
                pairs[channel] = self._score(table, there)
        if is_of_proteins:
            names = self._names(sorted({*table["protein1"], *table["protein2"]}))
            pairs["a"], pairs["b"] = (table[end].map(names).fillna(table[end]) for end in ids)
        else:
            pairs["a"], pairs["b"] = table["entrez_a"], table["entrez_b"]
        return self.gene_edges(pairs, [str(name) for name in pairs if name not in ("a", "b")])

    def _score(self, table: pd.DataFrame, columns: tuple[str, ...] | list[str]) -> pd.Series:
        try:
            scores = table[list(columns)].astype(float).max(axis=1) / 1000
        except ValueError as error:
            message = f"{self.path('links')}: {', '.join(columns)} has a cell that is not a number ({error})"
            raise SourceFormatError(message) from error
        if not scores.between(0, 1).all():
            message = f"{self.path('links')}: {', '.join(columns)} goes to {scores.max() * 1000:g}; expected 0 to 1000"
            raise SourceFormatError(message)
        return scores

    def _names(self, proteins: list[str]) -> dict[str, str]:
        """STRING id of a protein -> its preferred name, most often the symbol of its gene."""
        path = self._paths[self.SOURCE.name, "proteins"]
        if path is None:
            wanted = self.SOURCE.files["proteins"].names[0]
            message = (
                f"{self.path('links')} joins proteins such as {proteins[0]}; {wanted}, which names them, is absent"
            )
            raise SourceFormatError(message)
        # Annotations have quotes and tabs are the only separators.
        info = read_table(path, ("string_protein_id", "preferred_name"), quoting=3)
        return dict(zip(info["string_protein_id"], info["preferred_name"], strict=True))
