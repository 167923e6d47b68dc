"""What a model reads besides the gene table, and what was read from a file of vectors."""

from collections.abc import Sequence
from typing import Any

from builders import RawFiles, load
from model_adapters import Model

__all__ = ["reading_lines", "with_covariates"]

COVARIATES = "gene_covariates"


def reading_lines(model: Model) -> list[str]:
    """What was taken from a file of vectors: identifiers, dimensions, what was left out; empty for models that encode.

    Call it once the vectors are there.
    """
    reading = getattr(model, "reading", None)
    audit = getattr(model, "audit", {})
    counts = [f"{count:,} {name}" for name, count in audit.items() if count and name not in ("rows", "genes")]
    return [] if reading is None else [*reading.lines(), *([", ".join(counts)] if counts else [])]


def with_covariates(genes: Any, model: Any, raw: RawFiles) -> Any:
    """A gene table with the columns of `gene_covariates` that a model, or one of its parts, reads.

    Args:
        genes: Dataset with `symbol`.
        model: From `model_adapters.load_model`; most read no covariate.
        raw: Raw files, for the table of covariates.

    Raises:
        BuilderError: That table cannot be built.
    """
    wanted = [name for name in _covariates_of(model) if name not in genes.column_names]
    if not wanted:
        return genes
    table = load(COVARIATES, raw).dataset
    row = {symbol: i for i, symbol in enumerate(table["symbol"][:])}
    for name in wanted:
        if name in table.column_names:
            values = table[name][:]
            genes = genes.add_column(name, [values[row[gene]] if gene in row else None for gene in genes["symbol"][:]])
    return genes


def _covariates_of(model: Any) -> Sequence[str]:
    own = getattr(model, "covariates", ())
    return list(dict.fromkeys([*own, *(name for part in getattr(model, "parts", ()) for name in _covariates_of(part))]))
