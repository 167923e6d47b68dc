"""Gene2vec: pairs of genes that share a function, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Gene2vecBuilder"]

SPLITS = ("train", "valid", "test")
FOLDER = "predictionData"
GENE2VEC = Source(
    name="gene2vec",
    title="Gene2vec",
    homepage="https://github.com/jingcheng-du/Gene2vec",
    version="master",
    releases="the files of 2019",
    license="MIT",
    license_url="https://github.com/jingcheng-du/Gene2vec/blob/master/LICENSE",
    redistributable=True,
    citation=(
        "Du J et al. Gene2vec: distributed representation of genes based on co-expression."
        " BMC Genomics. 2019;20(Suppl 1):82."
    ),
    files={
        f"{split}_{kind}": RawFile(
            names=(f"{FOLDER}/{split}_{kind}.txt",),
            url=f"https://raw.githubusercontent.com/jingcheng-du/Gene2vec/master/{FOLDER}/{split}_{kind}.txt",
        )
        for split in SPLITS
        for kind in ("text", "label")
    },
)
LABELS = {"0": "unrelated", "1": "related"}


class Gene2vecBuilder(GeneTaskBuilder):
    """The three splits of the publication as one task: folds are made here, the same for every model."""

    SOURCE = GENE2VEC
    RULES_VERSION = 1
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="gene2vec_gene_pairs",
            description="Whether two genes share Gene Ontology annotation (1) or were paired at random (0).",
            target="binary",
            entity="gene_pair",
            family="regulatory",
            labels=("unrelated", "related"),
            from_annotation=True,
            paper_name="Gene2Gene",
            paper_size=290032,
        )
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        return pd.concat([self._split(split) for split in SPLITS], ignore_index=True)

    def _split(self, split: str) -> pd.DataFrame:
        text, label = f"{split}_text", f"{split}_label"
        pairs = self.read(text, ("symbol_a", "symbol_b"), sep=" ", header=False)
        numbers = self.read(label, ("label",), header=False)["label"]
        if len(pairs) != len(numbers):
            message = (
                f"{self.path(text)} has {len(pairs):,} pairs, but {self.path(label)} has {len(numbers):,} labels;"
                " expected one label a pair, fetch both again"
            )
            raise SourceFormatError(message)
        if stray := sorted(set(numbers) - LABELS.keys()):
            message = f"{self.path(label)}: label {stray[0]!r} in some line; expected 0 or 1"
            raise SourceFormatError(message)
        return pairs.assign(label=numbers.map(LABELS))
