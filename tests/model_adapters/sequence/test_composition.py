"""K-mers, GC content and one-hot vectors, against counts by hand."""

import itertools
from collections import Counter

import numpy as np
import pytest

from model_adapters import AdapterError, load_model

TEXTS = ["ACGTNACGG", "acgtaaacc", "A", "GGGG", "ACRGT"]


def counted(text, k):
    words = [text[i : i + k] for i in range(len(text) - k + 1)]
    return Counter(word for word in words if set(word) <= set("ACGT"))


def other(word):
    return "".join({"A": "T", "C": "G", "G": "C", "T": "A"}[base] for base in reversed(word))


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("canonical", [False, True])
def test_words_are_counted(k, canonical):
    order = ["".join(word) for word in itertools.product("ACGT", repeat=k)]
    if canonical:
        order = sorted({min(word, other(word)) for word in order})
    expected = np.zeros((len(TEXTS), len(order)))
    for row, text in enumerate(TEXTS):
        for word, n in counted(text.upper().replace("R", "N"), k).items():
            expected[row, order.index(min(word, other(word)) if canonical else word)] += n
    spec = f"kmer:k={k}" + (",canonical=yes" if canonical else "")
    np.testing.assert_array_equal(load_model(f"{spec},values=counts").encode(TEXTS), expected)
    totals = expected.sum(axis=1, keepdims=True)
    shares = np.divide(expected, totals, out=np.zeros_like(expected), where=totals > 0)
    np.testing.assert_allclose(load_model(spec).encode(TEXTS), shares, rtol=1e-6)


def test_canonical_words_do_not_depend_on_the_strand():
    text = "ACGGTCANNTGCA"
    model = load_model("kmer:k=3,canonical=yes")
    np.testing.assert_array_equal(*model.encode([text, "TGCANNTGACCGT"])[:, None])
    assert load_model("kmer:k=6,canonical=yes").encode([text]).shape == (1, 2080)
    assert load_model("kmer").encode([text]).shape == (1, 256)


def test_share_of_g_and_c():
    np.testing.assert_allclose(load_model("gc").encode(["ACGT", "GGCN", "NNN", ["A", "C"]])[:, 0], [0.5, 1, 0, 0.5])


def test_one_hot_keeps_the_middle():
    vectors = load_model("onehot:length=4").encode(["AC", "TACGTN", "TTTTT"])
    assert vectors.reshape(3, 4, 4).argmax(axis=2)[1].tolist() == [0, 1, 2, 3]
    assert vectors[0].tolist() == [1, 0, 0, 0, 0, 1, 0, 0] + [0] * 8
    assert vectors[2].sum() == 4
    assert load_model("onehot").encode(["N"]).tolist() == [[0.0] * 404]


def test_names_say_what_differs():
    assert [load_model(spec).model_id for spec in ("kmer", "kmer:k=4", "gc", "onehot")] == [
        "kmer",
        "kmer",
        "gc",
        "onehot",
    ]
    assert load_model("kmer:canonical=yes,k=6").model_id == "kmer:k=6,canonical=yes"
    assert load_model("kmer:k=6").options == {"k": 6, "values": "frequencies", "canonical": False}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("kmer:k=7", r"^kmer: k is 7, expected 1 or 2 or 3 or 4 or 5 or 6"),
        ("kmer:4", r"^kmer takes no argument, but '4' was given; write kmer\[:k=1\.\.6,"),
        ("gc:k=2", r"^gc has no option 'k', it has none$"),
        ("onehot:length=1000000", r"^onehot: length is 1000000, expected 10000 or less$"),
        ("kmr", r"^unknown model 'kmr'; did you mean 'kmer'\?"),
    ],
)
def test_what_cannot_be(spec, expected):
    with pytest.raises(AdapterError, match=expected):
        load_model(spec)


def test_what_is_no_dna():
    with pytest.raises(
        AdapterError, match=r"^dna_sequence has 'Z' at position 2, expected A, C, G, T, or N or another"
    ):
        load_model("kmer").encode(["AC", "AZ"])
