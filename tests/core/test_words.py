"""Words of labels in texts: against hand-made sentences."""

from gene_eval.core.words import carries, label_words, masked, stem

TEXTS = ["Mitochondrial ribosomal protein.", "A nuclear factor.", "Kinase of mitochondria", "Plasma protein", ""]


def test_stems_are_what_forms_of_a_word_begin_with() -> None:
    assert {stem(word) for word in ("mitochondria", "mitochondrial")} == {"mitochondr"}
    assert stem("repair") == "repair"
    assert stem("cell") == "cell"


def test_who_carries_a_label_and_its_synonyms() -> None:
    assert carries(TEXTS, label_words("Mitochondria")).tolist() == [True, False, True, False, False]
    assert carries(TEXTS, label_words("Nucleus")).tolist() == [False, True, False, False, False]
    assert label_words("other_class") == ()
    assert carries(TEXTS, ()).tolist() == [False] * 5


def test_hyphens_and_spaces_are_the_same() -> None:
    texts = ["zinc finger protein 5", "zinc-finger protein", "a G-protein coupled receptor", "finger of zinc"]
    assert carries(texts, label_words("Zinc-finger")).tolist() == [True, True, False, False]
    assert carries(texts, label_words("GPCR")).tolist() == [False, False, True, False]
    assert label_words("SH3 domain") == ("sh3",)


def test_masked_texts_carry_none_of_the_words() -> None:
    words = [*label_words("Mitochondria"), *label_words("Nucleus")]
    without = masked(TEXTS, words)
    assert without == ["ribosomal protein.", "A factor.", "Kinase of", "Plasma protein", ""]
    assert not carries(without, words).any()
    # A phrase goes as a whole.
    assert masked(["a zinc finger transcription factor"], ("transcription factor",)) == ["a zinc finger"]
