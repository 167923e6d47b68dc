"""The paper's text baseline: how often each frequent word occurs in a gene's description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, GeneEncoder, Resolve
from model_adapters.errors import UnknownModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_WORDS = 1024


class BagOfWords(GeneEncoder):
    """Raw counts of the 1,024 most frequent words, as scikit-learn's `CountVectorizer` with default parameters.

    The vocabulary is fitted on the descriptions of the whole gene table, so the vectors depend on that table.
    """

    adapter: ClassVar[str] = "bag-of-words"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="bag-of-words",
        family="text",
        input="description",
        dimension=f"{MAX_WORDS} (fewer if the table has fewer words)",
        source="computed from the gene table",
    )
    model_id = "bag-of-words"
    options = {"max_features": MAX_WORDS}

    _vectorizer: Any = None

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `bag-of-words`; there is nothing to choose."""
        if argument:
            message = f"bag-of-words takes no argument, but {argument!r} was given; write bag-of-words"
            raise UnknownModelError(message)
        return cls()

    def fit(self, values: list[str]) -> None:
        """Learn the vocabulary.

        Raises:
            ValueError: no description has a word.
        """
        from sklearn.feature_extraction.text import CountVectorizer

        self._vectorizer = CountVectorizer(max_features=MAX_WORDS).fit(values)

    def encode(self, batch: list[str]) -> NDArray[np.float32]:
        """Return the (n, words) counts; call `fit` first."""
        counts: NDArray[np.float32] = self._vectorizer.transform(batch).toarray().astype(np.float32)
        return counts
