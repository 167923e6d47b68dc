import numpy as np
import pytest
import torch

from model_adapters.errors import RefusedInput, UnknownModelError
from model_adapters.sequence.windows import (
    DNA,
    PROTEIN,
    TokenBatches,
    check_windows,
    letter_weights,
    sequences_of,
    spans,
)


def read(value, alphabet=PROTEIN):
    return sequences_of(value, 3, column="protein_sequence", alphabet=alphabet)


def test_legal_letters_in_either_case():
    assert read("ACDEFGHIKLMNPQRSTVWY") == ["ACDEFGHIKLMNPQRSTVWY"]
    assert read("mUxBZO") == ["MUXBZO"]
    assert read(["MK*", "MKL"]) == ["MK", "MKL"]
    assert read("acgtNn", DNA) == ["ACGTNN"]
    # What may be one of several bases is a base that is not known.
    assert read("ACrYkv", DNA) == ["ACNNNN"]


@pytest.mark.parametrize(
    ("value", "alphabet", "expected"),
    [
        ("MK*L", PROTEIN, r"^protein_sequence has '\*' at position 3, expected the 20 amino acids, or U, O, B, Z, X$"),
        ("MKJL", PROTEIN, r"has 'J' at position 3,"),
        ("MK L", PROTEIN, r"has ' ' at position 3,"),
        ("MK\N{LATIN SMALL LETTER SHARP S}L", PROTEIN, r"has '\u00df' at position 3,"),
        (["MKL", "M-L-"], PROTEIN, r"^sequence 2 of protein_sequence has '-' at position 2,"),
        (
            "ACGUACGU",
            DNA,
            r"has 'U' at position 4, expected A, C, G, T, or N or another of IUPAC's codes for a base that is n",
        ),
        ("", PROTEIN, r"^protein_sequence is empty; leave it null"),
        ("*", PROTEIN, r"^protein_sequence is empty; leave it null"),
        ([], PROTEIN, r"^protein_sequence is an empty list; leave it null"),
        (["MK", None], PROTEIN, r"^sequence 2 of protein_sequence is a NoneType, expected a sequence or a list"),
        (7, PROTEIN, r"^protein_sequence is a int, expected a sequence or a list"),
    ],
)
def test_what_is_no_sequence(value, alphabet, expected):
    with pytest.raises(RefusedInput, match=expected) as caught:
        read(value, alphabet)
    assert caught.value.position == 3


@pytest.mark.parametrize(("length", "size", "stride"), [(1, 4, 2), (4, 4, 4), (5, 4, 4), (23, 7, 3), (100, 10, 1)])
def test_every_letter_counts_once(length, size, stride):
    windows = spans(length, size=size, stride=stride)
    weights = letter_weights(length, windows)
    total = np.zeros(length)
    for start, end in windows:
        assert end - start == min(size, length)
        total[start:end] += weights[start:end]
    np.testing.assert_allclose(total, np.full(length, 1 / length), rtol=1e-12)
    assert len(set(windows)) == len(windows)


def test_windows_that_cannot_be():
    with pytest.raises(UnknownModelError, match=r"^dna: stride is 5, but window is 4; the letters between"):
        check_windows(window=4, stride=5, adapter="dna")
    with pytest.raises(UnknownModelError, match=r"^esm2: window is 1023, but the model reads 1022 letters at once"):
        check_windows(window=1023, stride=4, adapter="esm2", longest=1022)


def test_batches_fit_the_budget_with_padding_counted():
    lengths = [3, 10, 1, 9, 30, 2, 2]
    batches = []
    TokenBatches(20).run(lengths, batches.append)
    assert batches == [[4], [1, 3], [0, 5, 6, 2]]
    equal = []
    TokenBatches(20).run(lengths, equal.append, equal_lengths=True)
    assert equal == [[4], [1], [3], [0], [5, 6], [2]]


def test_out_of_memory_halves_the_batch_and_goes_on():
    done, tried = [], []

    def forward(batch):
        tried.append(len(batch))
        if len(batch) > 2:
            raise torch.cuda.OutOfMemoryError
        done.extend(batch)

    batches = TokenBatches(80)
    batches.run([10] * 9, forward)
    assert sorted(done) == list(range(9))
    assert tried == [8, 4, 2, 2, 2, 2, 1]
    assert batches.budget == 20

    def fail(batch):
        raise torch.cuda.OutOfMemoryError

    with pytest.raises(torch.cuda.OutOfMemoryError):
        batches.run([10], fail)
