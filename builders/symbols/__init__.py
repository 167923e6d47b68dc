"""Gene identifiers of every kind to current HGNC symbols, offline and without guessing."""

from builders.symbols.hgnc import HGNC, HGNC_COLUMNS, HGNC_RENAMED, chromosome, split_cell
from builders.symbols.resolution import CHANGES, LISTING_COLUMNS, Match, Resolution, Status
from builders.symbols.resolver import ALL_STEPS, SymbolResolver, read_identifier_map
from builders.symbols.unknown import looks_like_mouse, why_unknown

__all__ = [
    "ALL_STEPS",
    "CHANGES",
    "HGNC",
    "HGNC_COLUMNS",
    "HGNC_RENAMED",
    "LISTING_COLUMNS",
    "Match",
    "Resolution",
    "Status",
    "SymbolResolver",
    "chromosome",
    "looks_like_mouse",
    "read_identifier_map",
    "split_cell",
    "why_unknown",
]
