"""Columns of the table of covariates beside a gene table, for the models that read them."""

from collections.abc import Sequence
from typing import Any

from builders import RawFiles, load

__all__ = ["with_covariates"]

COVARIATES = "gene_covariates"


def with_covariates(genes: Any, model: Any, raw: RawFiles) -> Any:
    """A gene table with the columns of `gene_covariates` that a model, or one that it is made of, reads.

    Args:
        genes: Dataset with `symbol`.
        model: From `model_adapters.load_model`; most read no covariate.
        raw: Raw files, for the table of covariates.

    Raises:
        BuilderError: That table cannot be built.
    """
    wanted = [name for name in _columns(model) if name not in genes.column_names]
    if not wanted:
        return genes
    table = load(COVARIATES, raw).dataset
    row = {symbol: i for i, symbol in enumerate(table["symbol"][:])}
    for name in wanted:
        if name in table.column_names:
            values = table[name][:]
            genes = genes.add_column(name, [values[row[gene]] if gene in row else None for gene in genes["symbol"][:]])
    return genes


def _columns(model: Any) -> Sequence[str]:
    own = getattr(model, "covariates", ())
    return list(dict.fromkeys([*own, *(name for part in getattr(model, "parts", ()) for name in _columns(part))]))
