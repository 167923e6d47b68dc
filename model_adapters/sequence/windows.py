"""What protein and DNA models share: checked letters, overlapping windows, batches by tokens.

How a sequence longer than the model becomes one vector: windows of `size` letters start every `stride` letters, and the
last one ends where the sequence ends, so that none is short. A letter that k windows cover counts 1/k in each, so every
letter of the sequence counts once. Several sequences of one gene (isoforms) count the same, whatever their lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.errors import RefusedInput, UnknownModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Alphabet:
    """The letters that a kind of sequence may have, in either case.

    Args:
        letters: In upper case.
        expected: The same in words, for messages.
        terminator: A letter that may end a sequence and is left out.
        unknown: Letters that models have no token for -> the letter that they read instead.
    """

    letters: str
    expected: str
    terminator: str = ""
    unknown: Mapping[int, int] = field(default_factory=dict)


PROTEIN = Alphabet(
    letters="ACDEFGHIKLMNPQRSTVWYBOUXZ",
    expected="the 20 amino acids, or U, O, B, Z, X",
    terminator="*",
)
"""IUPAC's codes that ESM-2 has a token for; so not J. A translation's stop (`*`) is taken off the end."""
AMBIGUOUS = "RYSWKMBDHV"
DNA = Alphabet(
    letters=f"ACGTN{AMBIGUOUS}",
    expected="A, C, G, T, or N or another of IUPAC's codes for a base that is not known",
    unknown=str.maketrans(AMBIGUOUS, "N" * len(AMBIGUOUS)),
)
"""IUPAC's codes for some of the bases are read as N, the one that models have a token for."""
_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def reverse_complement(sequence: str) -> str:
    """Return the other strand of a sequence of A, C, G, T and N.

    >>> reverse_complement("AACGN")
    'NCGTT'
    """
    return sequence.translate(_COMPLEMENT)[::-1]


def sequences_of_batch(batch: list[Any], *, column: str, alphabet: Alphabet) -> tuple[list[int], list[str]]:
    """Return, for all sequences of a batch, the positions of their genes, and the sequences in upper case.

    Raises:
        RefusedInput: see `sequences_of`.

    >>> sequences_of_batch(["ac", ["G", "T"]], column="dna_sequence", alphabet=DNA)
    ([0, 1, 1], ['AC', 'G', 'T'])
    """
    genes: list[int] = []
    texts: list[str] = []
    for gene, value in enumerate(batch):
        found = sequences_of(value, gene, column=column, alphabet=alphabet)
        genes += [gene] * len(found)
        texts += found
    return genes, texts


def sequences_of(value: Any, position: int, *, column: str, alphabet: Alphabet) -> list[str]:
    """Return the sequences of one gene in upper case.

    Args:
        value: one sequence, or a list of them.
        position: number of the gene in the batch.
        column: its name, for messages.
        alphabet: legal letters.

    Raises:
        RefusedInput: the value is empty or not a sequence, or has an illegal letter; the message names letter and
            position, counted from 1.

    >>> sequences_of("mkU*", 0, column="protein_sequence", alphabet=PROTEIN)
    ['MKU']
    """
    several = isinstance(value, list)
    sequences = value if several else [value]
    if not sequences:
        message = f"{column} is an empty list; leave it null for a gene without a sequence"
        raise RefusedInput(position, message)
    found = []
    for number, sequence in enumerate(sequences, start=1):
        where = f"sequence {number} of {column}" if several else column
        if not isinstance(sequence, str):
            message = f"{where} is a {type(sequence).__name__}, expected a sequence or a list of sequences"
            raise RefusedInput(position, message)
        letters = sequence.removesuffix(alphabet.terminator)
        if not letters:
            message = f"{where} is empty; leave it null for a gene without a sequence"
            raise RefusedInput(position, message)
        if illegal := set(letters) - set(alphabet.letters + alphabet.letters.lower()):
            first = min(letters.index(letter) for letter in illegal)
            message = f"{where} has {letters[first]!r} at position {first + 1}, expected {alphabet.expected}"
            raise RefusedInput(position, message)
        found.append(letters.upper().translate(alphabet.unknown))
    return found


def spans(length: int, *, size: int, stride: int) -> list[tuple[int, int]]:
    """Return start and end of each window over a sequence.

    >>> spans(4, size=4, stride=2), spans(9, size=4, stride=2)
    ([(0, 4)], [(0, 4), (2, 6), (4, 8), (5, 9)])
    """
    if length <= size:
        return [(0, length)]
    starts = [*range(0, length - size, stride), length - size]
    return [(start, start + size) for start in starts]


def letter_weights(length: int, windows: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """Return how much each letter counts in each window that covers it; over all windows, every letter counts 1/length.

    >>> (letter_weights(6, [(0, 4), (2, 6)]) * 6).tolist()
    [1.0, 1.0, 0.5, 0.5, 1.0, 1.0]
    """
    # Differences first: a chromosome has a million windows.
    steps = np.zeros(length + 1, dtype=np.int64)
    for start, end in windows:
        steps[start] += 1
        steps[end] -= 1
    weights: NDArray[np.float64] = 1.0 / (np.cumsum(steps[:-1]) * length)
    return weights


def check_windows(*, window: int, stride: int, adapter: str, longest: int | None = None) -> None:
    """Raise UnknownModelError for windows that leave letters out, or that the model cannot read."""
    if longest is not None and window > longest:
        message = f"{adapter}: window is {window}, but the model reads {longest} letters at once; give that or less"
        raise UnknownModelError(message)
    if stride > window:
        message = f"{adapter}: stride is {stride}, but window is {window}; the letters between windows would be lost"
        raise UnknownModelError(message)


class TokenBatches:
    """Runs windows through a model in batches of like length, as many as fit into a number of tokens, padding counted.

    Where memory runs out, the number is halved for good and the batch is tried again. It does not affect the vectors,
    which do not depend on how windows are batched.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget

    def run(self, lengths: Sequence[int], forward: Callable[[list[int]], None], *, equal_lengths: bool = False) -> None:
        """Call `forward` with the indices of each batch, longest windows first.

        Args:
            lengths: tokens of each window.
            forward: computes one batch.
            equal_lengths: whether only windows of equal length may share a batch, for models that take no mask.

        Raises:
            torch.cuda.OutOfMemoryError: a single window does not fit.
        """
        import torch

        order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
        start = 0
        while start < len(order):
            longest = lengths[order[start]]
            batch = order[start : start + max(1, self.budget // longest)]
            if equal_lengths:
                batch = [i for i in batch if lengths[i] == longest]
            try:
                forward(batch)
            except torch.cuda.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                self.budget = max(1, longest * len(batch) // 2)
                torch.cuda.empty_cache()
                continue
            start += len(batch)
