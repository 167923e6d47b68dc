"""The tasks as configs, made of the rows of the table."""

from __future__ import annotations

from builders.config import Category
from builders.sequences.config import PARTS, SequenceConfig
from builders.sources.geneb.collections import COLLECTIONS, class_names, task_name, upstream_id
from builders.sources.geneb.table import ROWS, Row

__all__ = ["TASKS"]

_ABOUT: dict[Category, str] = {
    "histone_modification": "Whether the histones on the DNA carry the modification {key} (1) or not (0).",
    "promoter": "Whether the DNA is a promoter (1) or not (0).",
    "enhancer": "Whether the DNA is an enhancer (1) or not (0).",
    "dna_methylation": "Whether the base in the middle is methylated as {key} (1) or not (0).",
    "splice_site": "Whether a splice site is in the middle (1) or not (0).",
    "lncrna": "Whether the RNA is a long non-coding one (1) or not (0).",
    "mouse_enhancer": "Whether a mouse transcription factor binds the DNA (1) or not (0).",
    "tf_binding": "Whether a human transcription factor binds the DNA (1) or not (0).",
    "species": "Which species the DNA is from.",
    "regulatory": "Which kind of regulatory element the DNA is.",
    "virus_phage": "Whether the DNA is a phage's (1) or not (0).",
    "coding": "Whether the DNA is coding or lies between genes.",
    "chromatin_accessibility": "Whether DNase I cuts the DNA easily, because chromatin is open there (1), or not (0).",
}
_SPECIAL = {
    "enhancers_types": "Whether the DNA is no enhancer, a weak one or a strong one, by number.",
    "splice_sites_all": "Whether an acceptor, a donor or no splice site is in the middle, by number.",
    "splice_sites_acceptors": "Whether an acceptor splice site is in the middle (1) or not (0).",
    "splice_sites_donors": "Whether a donor splice site is in the middle (1) or not (0).",
    "splice_reconstructed": "Whether a donor, an acceptor or no splice site is in the middle, by number.",
    "human_ocr_ensembl": "Whether the chromatin on the DNA is open (1) or not (0).",
    "virus_covid": "Which variant of SARS-CoV-2 the piece of its genome is from, by number.",
    "5mC": (
        "Whether the cytosine in the middle is methylated (1) or not (0); GENEB calls it 5mC, and by its size it is the"
        " 5hmC (5-hydroxymethylcytosine) set of its source."
    ),
}


def _labels(row: Row) -> tuple[str, ...] | None:
    """Names of the classes in the order of their numbers; None where their number is not known for certain."""
    if row.collection == "genomic_benchmarks":
        return class_names(row.key)
    return None if row.key in ("fungi_species_20", "virus_species_40") else tuple(map(str, range(row.classes)))


def _task(category: Category, row: Row) -> SequenceConfig:
    collection = COLLECTIONS[row.collection]
    about = _SPECIAL.get(row.key, _ABOUT[category])
    key = row.key.removeprefix("emp_").rpartition("_")[2]
    return SequenceConfig(
        name=task_name(row),
        description=about.format(key=key),
        target="binary" if row.classes == 2 else "multiclass",
        family=category,
        labels=_labels(row),
        column=row.key,
        license=collection.source.license,
        collection=row.collection,
        upstream_id=upstream_id(row),
        species=row.species,
        sizes={part: size for part, size in zip(PARTS, row.sizes, strict=True) if size},
    )


TASKS = [_task(category, row) for category, rows in ROWS.items() for row in rows]
