"""Vectors made from the letters of a DNA sequence alone, without weights: the floor that a DNA model has to beat."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, GeneEncoder, Resolve
from model_adapters.errors import UnknownModelError
from model_adapters.options import Option, choice, id_with_options, split_options, whole_number, yes_or_no
from model_adapters.sequence.windows import DNA, reverse_complement, sequences_of_batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

BASES = "ACGT"
MAX_K = 6
MAX_LENGTH = 10_000
_CODES = np.full(256, -1, dtype=np.int64)
_CODES[[ord(base) for base in BASES]] = range(len(BASES))


class _Composition(GeneEncoder):
    """Reads `dna_sequence`; several sequences of one gene are averaged."""

    adapter: ClassVar[str]
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo]
    known: ClassVar[dict[str, Option]] = {}
    defaults: ClassVar[dict[str, Any]] = {}
    is_cheap: ClassVar[bool] = True
    input_column = "dna_sequence"

    def __init__(self, **options: Any) -> None:
        self.options = {**self.defaults, **options}
        self.model_id = id_with_options(self.adapter, self.options, self.defaults)

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `ADAPTER` or `ADAPTER:option=value`."""
        rest, options = split_options(argument, cls.known, adapter=cls.adapter)
        if rest:
            message = f"{cls.adapter} takes no argument, but {rest!r} was given; write {cls.info.usage}"
            raise UnknownModelError(message)
        return cls(**options)

    def encode(self, batch: list[Any]) -> NDArray[np.float32]:
        """Return one (n, d) row for each gene; a value is a sequence or a list of them.

        Raises:
            RefusedInput: A value is not a DNA sequence.
        """
        genes, texts = sequences_of_batch(batch, column=self.input_column, alphabet=DNA)
        vectors = self.vectors(texts)
        sums = np.zeros((len(batch), vectors.shape[1]))
        np.add.at(sums, genes, vectors)
        return (sums / np.bincount(genes)[:, None]).astype(np.float32)

    @abstractmethod
    def vectors(self, texts: list[str]) -> NDArray[np.float64]:
        """(m, d) numbers of m sequences in upper case."""


def _codes(text: str) -> NDArray[np.int64]:
    """Number of each base, -1 for another letter."""
    return _CODES[np.frombuffer(text.encode("ascii"), dtype=np.uint8)]


class KmerFrequencies(_Composition):
    """How often each of the 4^k words of k bases occurs, words in alphabetical order.

    A word with a letter other than A, C, G and T does not count. Frequencies are shares of the words that do.
    With `canonical=yes` a word and its reverse complement are one, the first of them in the alphabet: the vector does
    not depend on the strand.
    """

    adapter: ClassVar[str] = "kmer"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="kmer[:k=1..6,values=frequencies|counts,canonical=yes]",
        family="DNA",
        input="dna_sequence",
        dimension="4^k: 256 for k=4, the default; canonical fewer (136)",
        source="computed from the sequence",
    )
    known: ClassVar[dict[str, Option]] = {
        "k": choice(*map(str, range(1, MAX_K + 1))),
        "values": choice("frequencies", "counts"),
        "canonical": yes_or_no(),
    }
    defaults: ClassVar[dict[str, Any]] = {"k": 4, "values": "frequencies", "canonical": False}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "k": int(options.get("k", self.defaults["k"]))})

    @cached_property
    def _place(self) -> NDArray[np.int64]:
        """Number of each word among those that are distinguished."""
        words = ["".join(word) for word in itertools.product(BASES, repeat=self.options["k"])]
        if not self.options["canonical"]:
            return np.arange(len(words))
        kept = [min(word, reverse_complement(word)) for word in words]
        number = {word: i for i, word in enumerate(sorted(set(kept)))}
        return np.array([number[word] for word in kept])

    def vectors(self, texts: list[str]) -> NDArray[np.float64]:
        """Counts or frequencies of words."""
        # All sequences at once, with a letter between them that no word has.
        codes = _codes("-".join(texts) + "-" * MAX_K)
        rows = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
        starts = np.arange(len(rows))
        words, counted = np.zeros(len(rows), dtype=np.int64), np.ones(len(rows), dtype=bool)
        for place in range(self.options["k"]):
            code = codes[starts + place]
            words = words * len(BASES) + np.maximum(code, 0)
            counted &= code >= 0
        width = int(self._place.max()) + 1
        flat = rows[counted] * width + self._place[words[counted]]
        counts = np.bincount(flat, minlength=len(texts) * width).reshape(-1, width).astype(np.float64)
        if self.options["values"] == "counts":
            return counts
        shares: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return shares


class GcContent(_Composition):
    """One number: the share of G and C among the A, C, G and T of a sequence; 0 where it has none of these."""

    adapter: ClassVar[str] = "gc"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="gc", family="DNA", input="dna_sequence", dimension="1", source="computed from the sequence"
    )

    def vectors(self, texts: list[str]) -> NDArray[np.float64]:
        """Share of G and C."""
        counts = np.array([[sum(map(text.count, pair)) for pair in ("GC", "AT")] for text in texts], dtype=np.float64)
        shares: NDArray[np.float64] = counts[:, :1] / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return shares


class OneHot(_Composition):
    """Four numbers for each position, 1 for its base; 0 for another letter and beyond the end of the sequence.

    Sequences longer than `length` are cut on both sides, so that their middle stays: where sites are aligned, the
    aligned position is there.
    """

    adapter: ClassVar[str] = "onehot"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="onehot[:length=N]",
        family="DNA",
        input="dna_sequence",
        dimension="4 times length: 404 for 101, the default",
        source="computed from the sequence",
    )
    known: ClassVar[dict[str, Option]] = {"length": whole_number(minimum=1)}
    defaults: ClassVar[dict[str, Any]] = {"length": 101}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.options["length"] > MAX_LENGTH:
            message = f"onehot: length is {self.options['length']}, expected {MAX_LENGTH} or less"
            raise UnknownModelError(message)

    def vectors(self, texts: list[str]) -> NDArray[np.float64]:
        """(m, 4 length) zeros and ones, the four of a position side by side."""
        length = self.options["length"]
        table = np.zeros((len(texts), length, len(BASES)))
        for row, text in zip(table, texts, strict=True):
            start = max(0, (len(text) - length) // 2)
            codes = _codes(text[start : start + length])
            known = np.flatnonzero(codes >= 0)
            row[known, codes[known]] = 1.0
        return table.reshape(len(texts), -1)
