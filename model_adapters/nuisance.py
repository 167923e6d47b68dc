"""What a probe gets from facts other than a gene's function: study depth, length, base composition, expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, Resolve
from model_adapters.embedding.table import EmbeddingTable
from model_adapters.errors import EncodingError
from model_adapters.options import one_of

if TYPE_CHECKING:
    from datasets import Dataset
    from numpy.typing import NDArray

TABLE = "gene_covariates"
CHROMOSOME = "chromosome"


def _plain(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values


Term = tuple[str, Callable[["NDArray[np.float64]"], "NDArray[np.float64]"], bool]
"""Column of the table, how it is transformed, and whether its square is added."""
_PUBLICATIONS, _TEXT = ("publications", np.log1p), ("text_length", np.log1p)
_LENGTHS: tuple[Term, ...] = (("transcript_length", np.log1p, True), ("gene_length", np.log1p, True))
_GC: Term = ("gc", _plain, True)
KINDS: dict[str, tuple[Term, ...]] = {
    # One number, so that its score is that of the order of genes by publications.
    "publications": ((*_PUBLICATIONS, False),),
    "length": _LENGTHS,
    "gc": (_GC,),
    "expression": (("expression", np.log1p, True),),
    "degree": (("degree", np.log1p, True),),
    "text": ((*_TEXT, True),),
    CHROMOSOME: (),
    "all": ((*_PUBLICATIONS, True), (*_TEXT, True), *_LENGTHS, _GC),
}
"""What follows `nuisance:` -> the terms that make the vectors; `chromosome` is one number for each chromosome."""


class Nuisance:
    """Covariates of genes as vectors, from the table `gene_covariates`, which the caller hands over.

    Each term is standardised over the genes that have it. Where a gene lacks it, it is 0, the mean, and a further
    column says so; a gene that lacks all of them has no vector.
    """

    adapter: ClassVar[str] = "nuisance"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage=f"nuisance:{'|'.join(KINDS)}",
        family="control",
        input=f"the table {TABLE}",
        dimension="1 to 25",
        source="publications, lengths, GC, expression, degree, chromosome of the gene",
    )
    revision = None

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.model_id = f"{self.adapter}:{kind}"
        self.options: dict[str, Any] = {"kind": kind}

    @property
    def covariates(self) -> tuple[str, ...]:
        """Columns of the table that are read."""
        return (CHROMOSOME,) if self.kind == CHROMOSOME else tuple(column for column, _, _ in KINDS[self.kind])

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `nuisance:publications` and the like."""
        return cls(one_of(argument, tuple(KINDS), adapter=cls.adapter))

    def encode_table(self, genes: Dataset) -> EmbeddingTable:
        """Return the vectors of all genes that have any of the columns.

        Raises:
            EncodingError: A column is not in the table, or empty for all genes.
        """
        if missing := [name for name in self.covariates if name not in genes.column_names]:
            message = (
                f"{self.model_id} reads column {missing[0]!r} of the table {TABLE}, which was built without it;"
                f" gene-bench build {TABLE} says which file it lacks"
            )
            raise EncodingError(message)
        symbols: list[str] = genes["symbol"][:]
        if self.kind == CHROMOSOME:
            vectors, known = _one_hot(genes[CHROMOSOME][:])
        else:
            vectors, known = _terms(genes, KINDS[self.kind])
        if not known.any():
            message = (
                f"{self.model_id}: {', '.join(self.covariates)} of {TABLE} are empty for all {len(symbols):,} genes"
            )
            raise EncodingError(message)
        return EmbeddingTable([symbols[row] for row in np.flatnonzero(known)], vectors[known], where=self.model_id)


def _one_hot(places: list[str | None]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    names = sorted({place for place in places if place})
    vectors = np.array([[place == name for name in names] for place in places], dtype=np.float64)
    return vectors, np.array([bool(place) for place in places])


def _terms(genes: Dataset, terms: tuple[Term, ...]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    columns, lacking = [], []
    for name, transform, has_square in terms:
        values = transform(np.array(genes[name][:], dtype=np.float64))
        known = np.isfinite(values)
        if known.any():
            values = (values - values[known].mean()) / (values[known].std() or 1.0)
        columns += [np.where(known, each, 0.0) for each in ([values, values**2] if has_square else [values])]
        lacking.append(~known)
    known_somewhere: NDArray[np.bool_] = np.any(~np.array(lacking), axis=0)
    # Genes that lack one of two columns of a file lack the other too: the same indicator is kept only once.
    indicators = [each for each in np.unique(lacking, axis=0) if each[known_somewhere].any()]
    return np.column_stack([*columns, *indicators]).astype(np.float64), known_somewhere
