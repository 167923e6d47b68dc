"""Open Targets: how strongly a gene is associated with a disease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TableConfig, TaskConfig
from builders.raw_files import RawFile, Source
from builders.readers.parquet import parquet_columns, read_parquet

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OpenTargetsBuilder", "describe_disease"]

FETCH = "rsync -r rsync.ebi.ac.uk::pub/databases/opentargets/platform/23.09/output/etl/parquet/{} DIR/opentargets"
OPENTARGETS = Source(
    name="opentargets",
    title="Open Targets",
    homepage="https://platform.opentargets.org/downloads",
    version="23.09",
    releases="23.09 to 26.03",
    license="CC0-1.0",
    license_url="https://platform-docs.opentargets.org/licence",
    redistributable=True,
    citation=(
        "Ochoa D et al. The next-generation Open Targets Platform: reimagined, redesigned, rebuilt."
        " Nucleic Acids Res. 2023;51(D1):D1353-D1359."
    ),
    files={
        "associations": RawFile(
            names=("associationByOverallDirect", "association_overall_direct", "association_by_overall_direct"),
            url=None,
            command=FETCH.format("associationByOverallDirect"),
        ),
        "diseases": RawFile(names=("diseases", "disease"), url=None, command=FETCH.format("diseases")),
    },
)
ASSOCIATION = {"targetId": "string", "diseaseId": "string", "score": "double"}
# Columns and folders have other names from 26.03 and 25.03 on.
SCORE = "score"
RENAMED = (("associationScore", SCORE),)
# From 26.03 on a row says what its score is over; earlier the folder did.
AGGREGATION, OVERALL = "aggregationType", "overall"
DISEASE = {"id": "string", "name": "string", "description": "string"}


def describe_disease(name: str, summary: str) -> str:
    """What text models read of a disease, in the form of `builders.sources.genes.builder.describe`.

    >>> describe_disease("ulcerative colitis", "An inflammation of the colon.")
    'Disease name ulcerative colitis with the summary An inflammation of the colon.'
    >>> describe_disease("type 2 diabetes", "")
    'Disease name type 2 diabetes'
    """
    return f"Disease name {name} with the summary {summary}" if summary else f"Disease name {name}"


class OpenTargetsBuilder(GeneTaskBuilder):
    """Every direct association of a release, and its diseases.

    The paper has 411,569 associations and says of them only that they are overall scores of release 23.09, of which
    there are millions. Its authors' first script selected the data type `genetic_association`; the later one takes
    every direct overall score, as this builder does, because no selection is stated that could be repeated.
    """

    SOURCE = OPENTARGETS
    RULES_VERSION = 1
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="opentargets_gene_disease",
            description="Overall score (0 to 1) of the direct evidence that associates the gene with the disease.",
            target="regression",
            entity="gene_disease",
            family="biological_process",
            column="score",
            files=("associations",),
            paper_name="Gene-disease association",
            paper_size=411569,
        ),
        TableConfig(
            name="diseases",
            # In the first version `description` was that of Open Targets, without the name and often empty.
            version="1.1.0",
            description="Diseases and phenotypes of the associations: name, summary if any, and both as one text.",
            features=dict.fromkeys(("disease_id", "name", "summary", "description"), "string"),
            files=("diseases",),
        ),
    ]

    def inputs(self, config: TaskConfig | TableConfig) -> list[tuple[Source, str]]:  # noqa: D102
        needed = [(self.SOURCE, key) for key in config.files]
        return needed if isinstance(config, TableConfig) else super().inputs(config)

    def rows(self, config: TaskConfig | TableConfig) -> pd.DataFrame:  # noqa: D102
        if isinstance(config, TableConfig):
            table = read_parquet(self.path("diseases"), DISEASE).fillna("")
            table = table.rename(columns={"id": "disease_id", "description": "summary"})
            texts = zip(table["name"], table["summary"], strict=True)
            table["description"] = [describe_disease(*row) for row in texts]
            return table.sort_values("disease_id", ignore_index=True)
        folder = self.path("associations")
        given = parquet_columns(folder)
        columns = ASSOCIATION | ({AGGREGATION: "string"} if AGGREGATION in given else {})
        table = read_parquet(folder, columns, renamed=RENAMED)
        if SCORE not in given:
            self.audit.notes.append(f"labels are from the column {RENAMED[0][0]}, as releases from 26.03 on name it")
        if AGGREGATION in table:
            overall = table[AGGREGATION] == OVERALL
            if not overall.all():
                self.audit.notes.append(f"left out, as their {AGGREGATION} is not {OVERALL}: {(~overall).sum():,} rows")
            table = table[overall]
        table = table[[*ASSOCIATION]]
        rows = table.dropna().set_axis(["symbol", "disease_id", "label"], axis="columns")
        self.audit.notes.append(
            f"{len(table) - len(rows):,} incomplete associations are left out,"
            f" {rows['disease_id'].nunique():,} diseases remain;"
            " the paper does not say which associations of a release it kept, so all are kept here"
        )
        return rows
