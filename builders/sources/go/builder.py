"""The Gene Ontology: terms of the generic slim, by aspect and evidence, and by the date of the annotation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from builders.base import GeneTaskBuilder
from builders.config import Family, TaskConfig
from builders.readers.obo import Ontology, read_obo
from builders.sources.go.annotations import ASPECTS, EVIDENCE, read_annotations
from builders.sources.go.source import GO

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GoBuilder", "GoConfig"]

SLIM = "goslim_generic"
ROOTS = frozenset(("GO:0008150", "GO:0003674", "GO:0005575"))
# What is true of a term is true of what stands above it by these; "regulates" says something else.
UPWARDS = frozenset(("is_a", "part_of"))
_FAMILIES: dict[str, Family] = {
    "process": "biological_process",
    "function": "protein",
    "component": "localization",
}
# Choice of evidence -> how a description puts it, and who made the labels.
_BY = {
    "curated": ("by any evidence but electronic", "GO's curators, from publications and by homology"),
    "experimental": ("by experiments only", "GO's curators, from published experiments"),
    "all": (
        "by any evidence, electronic too",
        "GO's curators, and pipelines that go by domains, orthologs and keywords",
    ),
}


@dataclass
class GoConfig(TaskConfig):
    """A task of GO; `column` is the aspect.

    Args:
        evidence: Codes of the annotations that count; see `EVIDENCE`.
    """

    evidence: tuple[str, ...] = ()


def _slim(aspect: str, evidence: str) -> GoConfig:
    how, made_by = _BY[evidence]
    return GoConfig(
        name=f"go_slim_{aspect}" + ("" if evidence == "curated" else f"_{evidence}"),
        description=(
            f"Terms of GO's generic slim ({ASPECTS[aspect].replace('_', ' ')}) that hold for the gene"
            f" {how}, over the genes with any."
        ),
        target="multilabel",
        family=_FAMILIES[aspect],
        column=ASPECTS[aspect],
        files=("ontology", "annotations"),
        duplicates="union",
        from_annotation=True,
        # The same terms by other evidence would count twice.
        ranked=evidence == "curated",
        evidence=EVIDENCE[evidence],
        made_by=made_by,
        bias="well-studied genes have more terms; homology passes terms on in families",
    )


def _since(aspect: str) -> GoConfig:
    return GoConfig(
        name=f"go_newly_annotated_{aspect}",
        description=(
            f"Slim terms ({ASPECTS[aspect].replace('_', ' ')}) by experiments; tested on the genes that had none in"
            " the older release, trained on those that had."
        ),
        target="multilabel",
        family=_FAMILIES[aspect],
        column=ASPECTS[aspect],
        files=("ontology", "annotations", "later"),
        duplicates="union",
        from_annotation=True,
        evidence=EVIDENCE["experimental"],
        made_by="GO's curators, from experiments published; the split is the date of two releases",
        bias="genes that are annotated late are less studied than those trained on",
    )


class GoBuilder(GeneTaskBuilder):
    """A gene has a slim term if an annotation of the aspect is of the term, or of one below it by is_a and part_of."""

    SOURCE = GO
    BUILDER_CONFIGS: ClassVar[list[GoConfig]] = [
        *(_slim(aspect, evidence) for aspect in ASPECTS for evidence in ("curated", "experimental", "all")),
        *(_since(aspect) for aspect in ASPECTS),
    ]

    def rows(self, config: GoConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        older = self._annotations("annotations", config)
        if "later" not in config.files:
            return older
        later = self._annotations("later", config)
        return pd.concat([older.assign(split="train"), later.assign(split="test")])

    def _annotations(self, key: str, config: GoConfig) -> pd.DataFrame:
        """Annotations of the aspect and evidence that lead to slim terms, with these terms as labels."""
        path = self.path(key)
        read = self.raw.once((path, "annotations"), lambda: read_annotations(path))
        name = f"{path.name} of {read.date}" if read.date else path.name
        self.audit.notes.append(
            f"{name}: it has no qualifiers, so that NOT counts as yes"
            if read.n_not is None
            else f"{name}: {read.n_not:,} annotations with NOT are left out"
        )
        labels = self.raw.once((self.path("ontology"), "slim", config.column), lambda: self._labels(config))
        of_aspect = read.table[read.table["aspect"] == config.column]
        of_evidence = of_aspect[of_aspect["evidence"].isin(config.evidence)]
        found = of_evidence["term"].map(lambda term: labels.get(term, ()))
        has_any = found.map(bool).astype(bool)
        unknown = int((~of_evidence["term"].isin(labels)).sum())
        self.audit.notes.append(
            f"{path.name}: of {len(of_aspect):,} annotations of the aspect, {len(of_aspect) - len(of_evidence):,} have"
            f" other evidence, {unknown:,} a term that the ontology lacks, and {int((~has_any).sum()) - unknown:,} no"
            " slim term above"
        )
        # Accessions outlive symbols; a few are no longer HGNC's.
        names = {"gene": "symbol", "gene_alt": "symbol_alt"}
        return of_evidence.loc[has_any, [*names]].rename(columns=names).assign(label=found[has_any])

    def _ontology(self) -> Ontology:
        path = self.path("ontology")
        ontology: Ontology = self.raw.once((path, "obo"), lambda: read_obo(path))
        return ontology

    def _labels(self, config: GoConfig) -> dict[str, tuple[str, ...]]:
        """Term or alternative id -> names of the slim terms of the aspect that it is or stands below."""
        return dict(_slim_terms(self._ontology(), str(config.column)))


def _slim_terms(ontology: Ontology, aspect: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    terms = ontology.terms
    slim = {
        each.id for each in terms.values() if SLIM in each.subsets and each.namespace == aspect and each.id not in ROOTS
    }
    found = {
        term: tuple(sorted(terms[above].name for above in ontology.above(term, UPWARDS) & slim))
        for term, each in terms.items()
        if each.namespace == aspect
    }
    yield from found.items()
    yield from ((other, found[term]) for other, term in ontology.merged.items() if term in found)
