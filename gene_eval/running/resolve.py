"""From the identifiers of a user's vectors to current gene symbols."""

from collections.abc import Callable, Sequence

from builders import RawFiles, SymbolResolver
from builders.symbols import Resolution
from builders.user_tables import offline_resolver

__all__ = ["Resolve", "make_resolve"]


class Resolve:
    """A function from the identifiers of a vectors file to current symbols, for `model_adapters`.

    It tells what it changed and what it could not map. Several identifiers may mean the same gene: the adapter decides
    what becomes of their vectors.

    Args:
        make: Makes the resolver, once a file of vectors is read.
        log: Takes a line for the user.
    """

    def __init__(self, make: Callable[[], SymbolResolver], log: Callable[[str], None]) -> None:
        self._make, self._log = make, log
        self._resolver: SymbolResolver | None = None
        self._resolved: dict[str, None] = {}

    def __call__(self, identifiers: list[str]) -> Sequence[str | None]:
        """Current symbol of each identifier, None where there is none."""
        resolution = self._resolve(identifiers)
        unknown = len(resolution.unmapped) + len(resolution.withdrawn)
        if resolution.changed or resolution.ambiguous or unknown:
            changed, ambiguous = len(resolution.changed), len(resolution.ambiguous)
            self._log(
                f"{len(resolution):,} identifiers of the vectors: {changed:,} old names became current symbols,"
                f" {ambiguous:,} ambiguous and {unknown:,} unknown names have none"
            )
        return resolution.symbols

    def explain(self, identifiers: list[str]) -> list[tuple[str | None, str]]:
        """Symbol of each identifier, and how it was found or why not (`builders.symbols.Status`)."""
        return [(match.symbol, match.status) for match in self._resolve(identifiers).matches]

    def listing(self) -> list[tuple[str, str, str, str]]:
        """What became of every identifier so far; see `builders.symbols.Resolution.listing`."""
        return self.resolver.resolve(list(self._resolved)).listing()

    def _resolve(self, identifiers: list[str]) -> Resolution:
        self._resolved |= dict.fromkeys(identifiers)
        return self.resolver.resolve(identifiers)

    @property
    def resolver(self) -> SymbolResolver:
        """Made when first needed."""
        if self._resolver is None:
            self._resolver = self._make()
        return self._resolver


def make_resolve(raw: RawFiles, log: Callable[[str], None]) -> Resolve | None:
    """A function from identifiers of vectors to symbols, by what is on this machine; None if nothing is."""
    make = offline_resolver(raw)
    return None if make is None else Resolve(lambda: raw.once("resolver of vectors", make), log)
