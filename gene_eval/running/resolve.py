"""From the identifiers of somebody's vectors to current gene symbols."""

from collections.abc import Callable, Sequence

from builders import RawFiles, SymbolResolver, cached
from builders.errors import MissingFileError
from builders.symbols import HGNC

__all__ = ["make_resolve"]

GENES = "genes"


def make_resolve(raw: RawFiles, log: Callable[[str], None]) -> Callable[[list[str]], Sequence[str | None]] | None:
    """A function from the identifiers of a vectors file to current symbols.

    It goes by HGNC's file in the data directory, or without one by the gene table that was built last, and is None
    where there is neither: nothing is downloaded. It tells what it changed and what it could not map. Several
    identifiers may mean one gene: what becomes of their vectors is the adapter's to say (see
    `model_adapters.files.table_model`).
    """
    make = _resolver(raw)
    if make is None:
        return None

    def resolve(identifiers: list[str]) -> list[str | None]:
        resolver: SymbolResolver = raw.once("resolver of vectors", make)
        resolution = resolver.resolve(identifiers)
        unknown = len(resolution.unmapped) + len(resolution.withdrawn)
        if resolution.changed or resolution.ambiguous or unknown:
            changed, ambiguous = len(resolution.changed), len(resolution.ambiguous)
            log(
                f"{len(resolution):,} identifiers of the vectors: {changed:,} old names became current symbols,"
                f" {ambiguous:,} ambiguous and {unknown:,} unknown have none"
            )
        return resolution.symbols

    return resolve


def _resolver(raw: RawFiles) -> Callable[[], SymbolResolver] | None:
    """What makes the resolver, which takes a second, once a file of vectors is read."""
    if raw.data_dir is None:
        genes = cached(GENES)
        return None if genes is None else lambda: SymbolResolver.from_genes(genes.dataset)
    try:
        path = raw.path(HGNC, "complete_set")
    except MissingFileError:
        return None
    assert path is not None
    # Under the key of the builders, who may have made it already.
    return lambda: raw.once((path, "resolver"), lambda: SymbolResolver.from_hgnc(path))
