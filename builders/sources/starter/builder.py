"""The embedded starter source: about 300 well-known genes, written by hand, for a whole chain with no download.

It shows that an installation works. It is too small and too easy to rank models, and no report does so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TableConfig, TaskConfig
from builders.raw_files import RawFile, Source
from builders.sources.genes.builder import describe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StarterBuilder"]

STARTER = Source(
    name="starter",
    title="gene-bench starter",
    homepage="https://github.com/gene-bench/gene-bench",
    version="1",
    license="Apache-2.0",
    license_url="https://www.apache.org/licenses/LICENSE-2.0",
    redistributable=True,
    citation="gene-bench starter genes, distributed with the package.",
    files={"genes": RawFile(names=("starter_genes.tsv",), url=None)},
)
COLUMNS = (
    "symbol", "name", "summary", "chromosome", "protein_class", "locations", "is_tf", "membrane_segments",
)  # fmt: skip
TABLE_COLUMNS = ("symbol", "name", "chromosome", "summary", "description")


def _task(name: str, **fields: object) -> TaskConfig:
    return TaskConfig(name=name, gene_table="starter_genes", ranked=False, **fields)  # type: ignore[arg-type]


class StarterBuilder(GeneTaskBuilder):
    """One task per target over the starter genes; not part of any ranking."""

    SOURCE = STARTER
    RULES_VERSION = 1
    PACKAGED = True
    BUILDER_CONFIGS = [  # noqa: RUF012
        TableConfig(
            name="starter_genes",
            description="Well-known human genes with an own-words line of function.",
            features=dict.fromkeys(TABLE_COLUMNS, "string"),
        ),
        _task(
            "starter_is_tf",
            description="Whether the gene encodes a sequence-specific transcription factor (1) or not (0).",
            target="binary",
            family="regulatory",
            labels=("not_tf", "tf"),
            column="is_tf",
        ),
        _task(
            "starter_protein_class",
            description="Main class of the protein that the gene encodes.",
            target="multiclass",
            family="genomic",
            column="protein_class",
        ),
        _task(
            "starter_location",
            description="Where in or outside the cell the protein works.",
            target="multilabel",
            family="localization",
            column="locations",
        ),
        _task(
            "starter_membrane_segments",
            description="Number of transmembrane segments of the protein.",
            target="regression",
            family="protein",
            column="membrane_segments",
        ),
    ]

    def locate(self, origin: Source, key: str) -> Path:  # noqa: D102
        return Path(__file__).with_name(origin.files[key].names[0])

    def rows(self, config: TaskConfig | TableConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        table = self.read("genes", COLUMNS)
        if isinstance(config, TableConfig):
            rows = zip(table["symbol"], table["name"], table["summary"], strict=True)
            return table.assign(description=[describe(*row) for row in rows])[list(TABLE_COLUMNS)]
        label = table[config.column]
        if config.target == "binary":
            label = label.map({"yes": "tf", "no": "not_tf"})
        elif config.target == "multilabel":
            label = label.str.split(";")
        elif config.target == "regression":
            label = label.astype(float)
        return pd.DataFrame({"symbol": table["symbol"], "label": label})
