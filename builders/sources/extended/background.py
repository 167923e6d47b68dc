"""The other class for a source that lists only one: genes that it could have named but did not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CODING", "against_others"]

CODING = "protein-coding gene"


def against_others(
    builder: GeneTaskBuilder,
    listed: Sequence[str],
    labels: Sequence[str],
    *,
    also_named: Sequence[str] = (),
    locus_groups: Collection[str] = (CODING,),
    with_protein: bool = False,
) -> pd.DataFrame:
    """Rows of listed genes and of all other approved genes.

    A gene that a listed identifier may stand for (an ambiguous one, or by a step that the builder does not take) is in
    neither class.

    Args:
        builder: Of the source; its audit takes a note of both numbers.
        listed: Identifiers as the source has them.
        labels: (of the others, of the listed).
        also_named: Other identifiers of the listed genes. They make no gene a positive, but the genes that they stand
            for are no negatives.
        locus_groups: HGNC's locus groups that the others are taken from.
        with_protein: Whether the others must have a UniProt accession.
    """
    import pandas as pd

    found = builder.resolver().resolve([*listed, *also_named])
    meant = {gene for match in found.matches for gene in (match.symbol, *match.candidates)}
    hgnc = builder.hgnc("locus_group")
    chosen = (hgnc["status"] == "Approved") & hgnc["locus_group"].isin(locus_groups)
    if with_protein:
        chosen &= hgnc["uniprot_ids"] != ""
    others = hgnc["symbol"][chosen & ~hgnc["symbol"].isin(meant)].tolist()
    builder.audit.notes.append(
        f"the source lists {len(listed):,} rows, all {labels[1]}; {labels[0]} are the {len(others):,} approved genes"
        f" ({', '.join(locus_groups)}) that none of them may stand for"
    )
    names = [labels[1]] * len(listed) + [labels[0]] * len(others)
    return pd.DataFrame({"symbol": [*listed, *others], "label": names})
