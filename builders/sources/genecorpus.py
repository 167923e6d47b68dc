"""Genecorpus-30M: the gene lists on which Geneformer was fine-tuned."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import Family, TaskConfig
from builders.errors import SourceFormatError
from builders.raw_files import RawFile, Source
from builders.readers.pickles import load_plain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GenecorpusBuilder"]

_URL = "https://huggingface.co/datasets/ctheodoris/Genecorpus-30M/resolve/main/example_input_files/gene_classification"
_PATHS = {
    "dosage": "dosage_sensitive_tfs/dosage_sensitivity_TFs.pickle",
    "bivalent_lys4": "bivalent_promoters/bivalent_vs_lys4_only.pickle",
    "bivalent_none": "bivalent_promoters/bivalent_vs_no_methyl.pickle",
    "range": "tf_regulatory_range/tf_regulatory_range.pickle",
    "n1_network": "notch1_network/n1_network.pickle",
    "n1_target": "notch1_network/n1_target.pickle",
}
GENECORPUS = Source(
    name="genecorpus",
    title="Genecorpus-30M",
    homepage="https://huggingface.co/datasets/ctheodoris/Genecorpus-30M",
    version="main",
    releases="the files of 2023",
    license="Apache-2.0",
    license_url="https://huggingface.co/datasets/ctheodoris/Genecorpus-30M",
    redistributable=True,
    citation=(
        "Theodoris CV et al. Transfer learning enables predictions in network biology."
        " Nature. 2023;618:616-624. doi:10.1038/s41586-023-06139-9"
    ),
    files={key: RawFile(names=(path,), url=f"{_URL}/{path}") for key, path in _PATHS.items()},
)
# What the paper's sizes show about three of its tasks; part of the audit.
_NOTES = {
    "genecorpus_bivalent_vs_lys4_only": (
        "the paper has these genes under the name Lys4-only-methylated vs non-methylated: its size 171 fits no other"
        " two of the lists, and Lys4-only vs non-methylated has 118 ids"
    ),
    "genecorpus_n1_network": (
        "the paper has these central and peripheral genes under the name N1 targets: its two sizes (N1 network 1,103,"
        " N1 targets 281) fit the lists only with the two files swapped; of the 295 ids it kept 281"
    ),
    "genecorpus_n1_targets": (
        "the paper has these targets and non-targets under the name N1 network: its two sizes (N1 network 1,103,"
        " N1 targets 281) fit the lists only with the two files swapped; of the 1,140 ids it kept 1,103"
    ),
}


def _task(
    name: str,
    about: str,
    labels: tuple[str, str],
    *,
    files: tuple[str, ...],
    family: Family = "genomic",
    paper: tuple[str, int] | None = None,
    origin: tuple[str, str] = ("", ""),
) -> TaskConfig:
    paper_name, paper_size = paper or (None, None)
    made_by, bias = origin
    return TaskConfig(
        name=f"genecorpus_{name}",
        description=about,
        target="binary",
        family=family,
        made_by=made_by,
        bias=bias,
        labels=labels,
        files=files,
        paper_name=paper_name,
        paper_size=paper_size,
    )


class GenecorpusBuilder(GeneTaskBuilder):
    """A label is the name of a list in one of the task's pickles; the first named in the task is the positive one."""

    SOURCE = GENECORPUS
    RULES_VERSION = 2
    BUILDER_CONFIGS = [  # noqa: RUF012
        _task(
            "dosage_sensitive_tf",
            "Whether a transcription factor is sensitive (1) or insensitive (0) to the number of its gene copies.",
            ("Dosage-insensitive TFs", "Dosage-sensitive TFs"),
            files=("dosage",),
            paper=("Dosage sensitive vs insensitive TF", 487),
        ),
        _task(
            "bivalent_vs_non_methylated",
            "Whether the promoter is bivalent, with Lys4 and Lys27 of histone H3 methylated (1), or has neither (0).",
            ("no_methylation", "bivalent"),
            files=("bivalent_none",),
            paper=("Bivalent vs non-methylated", 133),
        ),
        _task(
            "lys4_only_vs_non_methylated",
            "Whether the promoter has only Lys4 of histone H3 methylated (1) or neither Lys4 nor Lys27 (0).",
            ("no_methylation", "lys4_only"),
            # No pickle has both lists.
            files=("bivalent_none", "bivalent_lys4"),
            origin=(
                "the authors of Geneformer, from methylation of histone H3 in embryonic stem cells",
                "so few genes that scores differ much between folds",
            ),
        ),
        _task(
            "bivalent_vs_lys4_only",
            "Whether the promoter is bivalent, with Lys4 and Lys27 of histone H3 methylated (1), or has only Lys4 (0).",
            ("lys4_only", "bivalent"),
            files=("bivalent_lys4",),
            paper=("Lys4-only-methylated vs non-methylated", 171),
        ),
        _task(
            "long_vs_short_range_tf",
            "Whether a transcription factor regulates over a long (1) or a short (0) range.",
            ("short_range", "long_range"),
            files=("range",),
            family="regulatory",
            paper=("Long vs short range TF", 174),
        ),
        _task(
            "n1_network",
            "Whether a gene of the NOTCH1 (N1) network is central (1) or peripheral (0) in it.",
            ("n1_peripheral", "n1_central"),
            files=("n1_network",),
            family="regulatory",
            paper=("N1 targets", 281),
        ),
        _task(
            "n1_targets",
            "Whether NOTCH1 (N1) activates the gene (1) or the gene is no target of it (0).",
            ("n1_nontarget", "n1_activated"),
            files=("n1_target",),
            family="regulatory",
            paper=("N1 network", 1103),
        ),
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        if config.name in _NOTES:
            self.audit.notes.append(_NOTES[config.name])
        assert config.labels is not None
        rows = [(gene, label) for label in config.labels for gene in self._genes(label, config.files)]
        return pd.DataFrame(rows, columns=["symbol", "label"])

    def _genes(self, label: str, keys: tuple[str, ...]) -> list[str]:
        lists: dict[str, list[str]] = {}
        for path in map(self.path, keys):
            lists |= self.raw.once((path, "lists"), partial(_read_lists, path))
        if label not in lists:
            message = f"{path}: no list '{label}'; it has {', '.join(map(repr, lists))}"
            raise SourceFormatError(message)
        return lists[label]


def _read_lists(path: Path) -> dict[str, list[str]]:
    lists = load_plain(path)
    if not isinstance(lists, dict) or not all(map(_is_gene_list, lists.values())):
        message = f"{path}: not a dict of lists of gene ids, label -> [Ensembl id, ...]"
        raise SourceFormatError(message)
    return lists


def _is_gene_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(gene, str) for gene in value)
