"""Text models without a language model: how often each frequent word occurs in a gene's text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, GeneEncoder, Resolve
from model_adapters.errors import UnknownModelError
from model_adapters.options import INPUT, MASK, MASKED, id_with_options, split_options

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_WORDS = 1024


class BagOfWords(GeneEncoder):
    """Raw counts of the 1,024 most frequent words, as scikit-learn's `CountVectorizer` with default parameters.

    The paper's simplest text model. The vocabulary is fitted on the texts of all genes of the table, so the vectors
    depend on that table. Among equally frequent words, the first in the alphabet are taken: `max_features` of
    scikit-learn takes whichever its unstable sort puts first, which differs between processors.
    """

    adapter: ClassVar[str] = "bag-of-words"
    version: ClassVar[str] = "2"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="bag-of-words[:input=COLUMN,mask=labels]",
        family="text",
        input="description, or input=COLUMN",
        dimension=f"{MAX_WORDS} (fewer if the table has fewer words)",
        source="computed from the gene table",
    )
    vectorizer: ClassVar[str] = "CountVectorizer"

    def __init__(self, *, input: str = "description", mask: str = "none") -> None:
        self.masked_input = input if mask == "labels" else None
        self.input_column = MASKED.format(input) if self.masked_input else input
        self.options = {"max_features": MAX_WORDS, "input": input} | ({"mask": mask} if self.masked_input else {})
        defaults = {"input": "description", "mask": "none"}
        self.model_id = id_with_options(self.adapter, {"input": input, "mask": mask}, defaults)
        self._vectorizer: Any = None

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `bag-of-words` or `bag-of-words:input=summary`."""
        rest, options = split_options(argument, {"input": INPUT, "mask": MASK}, adapter=cls.adapter)
        if rest:
            message = f"{cls.adapter} takes no argument, but {rest!r} was given; write {cls.info.usage}"
            raise UnknownModelError(message)
        return cls(**options)

    def fit(self, values: list[str]) -> None:
        """Learn the vocabulary.

        Raises:
            ValueError: no text has a word.
        """
        from sklearn.feature_extraction import text

        counter = text.CountVectorizer()
        counts = np.asarray(counter.fit_transform(values).sum(axis=0)).ravel()
        words = counter.get_feature_names_out()
        # Words are in alphabetical order, which a stable sort keeps for equal counts.
        frequent = np.sort(np.argsort(-counts, kind="stable")[:MAX_WORDS])
        self._vectorizer = getattr(text, self.vectorizer)(vocabulary=words[frequent]).fit(values)

    def encode(self, batch: list[str]) -> NDArray[np.float32]:
        """Return (n, words) counts or weights; call `fit` first."""
        counts: NDArray[np.float32] = self._vectorizer.transform(batch).toarray().astype(np.float32)
        return counts


class TfIdf(BagOfWords):
    """The same words weighted by how rare they are and scaled to length 1, as scikit-learn's `TfidfVectorizer`."""

    adapter: ClassVar[str] = "tfidf"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="tfidf[:input=COLUMN,mask=labels]",
        family="text",
        input="description, or input=COLUMN",
        dimension=f"{MAX_WORDS} (fewer if the table has fewer words)",
        source="computed from the gene table",
    )
    vectorizer: ClassVar[str] = "TfidfVectorizer"
