"""Merging into a card: every line that was there stays, what we wrote before is replaced, broken cards are refused."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gene_eval.errors import CardError
from gene_eval.publishing.card_checks import check_accepted
from gene_eval.publishing.card_merge import BEGIN, END, merge_card, merge_section

OURS = [{"task": {"type": "t"}, "source": {"name": "gene-bench", "url": "u"}, "metrics": [{"type": "m", "value": 0.5}]}]
NEWER = [{**OURS[0], "metrics": [{"type": "m", "value": 0.75}]}, {**OURS[0], "task": {"type": "second"}}]
THEIRS = """---
# a comment of the author
license: mit   # and another
tags: [a, "b"]
model-index:
  # about the index
  - name: Encoder
    results:
      - task: {type: x}
        # theirs
        metrics:
          - type: acc
            value: 0.1
      # after the last
# below the index
base_model: org/base
---

# Encoder

Text, with spaces at the end.
""".replace("end.", "end.  ")


def merge(existing, index=OURS, section="Section.\n"):
    return merge_card(existing, title="org/encoder", section=section, index=index)


def head(card):
    return yaml.safe_load(card.split("---\n")[1])


def is_subsequence(lines, text):
    rest = iter(text)
    return all(line in rest for line in lines)


def test_a_new_card():
    card = merge(None)
    assert head(card) == {"model-index": [{"name": "org/encoder", "results": OURS}]}
    assert card.split("---\n")[2] == f"# org/encoder\n\n{BEGIN}\nSection.\n{END}\n"


def test_no_line_of_a_card_is_lost_and_theirs_comes_first():
    card = merge(THEIRS)
    assert is_subsequence(THEIRS.splitlines(), card.splitlines())
    index = head(card)["model-index"]
    assert [result["task"]["type"] for result in index[0]["results"]] == ["x", "t"]
    assert head(card) == {**head(THEIRS), "model-index": index}


def test_what_was_written_before_is_replaced():
    once = merge(THEIRS)
    again = merge(once, NEWER, "Newer.\n")
    assert [result["task"]["type"] for result in head(again)["model-index"][0]["results"]] == ["x", "t", "second"]
    assert head(again)["model-index"][0]["results"][1]["metrics"][0]["value"] == 0.75
    assert "Section." not in again
    assert again.count("Newer.") == 1
    assert is_subsequence(THEIRS.splitlines(), again.splitlines())
    assert merge(again, OURS) == once


def test_merging_twice_is_merging_once():
    for card in (None, "", "# M\n", THEIRS, "---\n---\n# M", THEIRS.replace("\n", "\r\n")):
        once = merge(card)
        assert merge(once) == once


def test_text_after_our_section_stays():
    card = merge("# M\n") + "\nAdded below.\n"
    assert merge(card, NEWER, "Newer.\n").endswith(f"Newer.\n{END}\n\nAdded below.\n")


def test_windows_line_ends_stay():
    card = merge(THEIRS.replace("\n", "\r\n"))
    assert card.count("\n") == card.count("\r\n")
    assert card.replace("\r\n", "\n") == merge(THEIRS)


def test_mixed_line_ends_stay():
    card = "---\r\nlicense: mit\n---\r\n# M\n"
    assert is_subsequence(card.splitlines(keepends=True), merge(card).splitlines(keepends=True))
    assert yaml.safe_load(merge(card).split("---")[1])["license"] == "mit"


def test_without_index_only_the_section_is_added():
    assert merge("# M\n", []) == f"# M\n\n{BEGIN}\nSection.\n{END}\n"
    assert head(merge(THEIRS, [])) == head(THEIRS)


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("---\na: [1\nb: 2\n---\n", "its metadata is not valid YAML in line 3"),
        ("---\na: 1\n# never closed\n", "it opens with --- but no later line --- ends its metadata; add that line"),
        ("---\n- a\n---\n", "its metadata is a list, expected keys and values"),
        ("---\nmodel-index: soon\n---\n", "its model-index is not a list of models with results; fix or remove it"),
        ("---\nmodel-index:\n- name: x\n---\n", "the first model of its model-index has no list of results"),
        ("---\nmodel-index: [{name: x, results: [{task: 1}]}]\n---\n", "in a form that model-index cannot be added to"),
        (
            "---\nours: &ours {model-index: [{name: x, results: [{task: 1}]}]}\n<<: *ours\n---\n",
            "in a form that model-index cannot be added to",
        ),
        ("---\n{license: mit}\n---\n", "in a form that model-index cannot be added to"),
        (f"# M\n{BEGIN}\n", "it has 1 gene-bench:begin and 0 gene-bench:end marks, expected one of each"),
        (
            f"{END}\n{BEGIN}\n",
            "it has 1 gene-bench:begin and 1 gene-bench:end marks, expected one of each in this order",
        ),
    ],
)
def test_cards_that_cannot_be_extended_are_refused(card, reason):
    with pytest.raises(CardError, match=".") as caught:
        merge(card)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")))


@settings(max_examples=100, deadline=None)
@given(LINES, LINES)
def test_any_text_keeps_its_lines(before, after):
    text = "# M\n" + "\n".join([*before, *after])
    merged = merge_section(text, "Section.\n")
    assert merged.startswith(text)
    assert merged.count(BEGIN) == 1


def test_of_an_index_that_is_there_twice_the_last_is_added_to() -> None:
    twice = THEIRS.replace("license: mit ", "model-index: [a]\nlicense: mit ")
    assert head(merge(twice)) == {**head(THEIRS), "model-index": head(merge(THEIRS))["model-index"]}


def test_an_empty_index_takes_entries() -> None:
    for index in ("[]", "", "null", "[ ]  # none yet"):
        card = f"---\nlicense: mit\nmodel-index: {index}\ntags: [a]\n---\n# M\n"
        assert merge(card).startswith("---\nlicense: mit\ntags: [a]\nmodel-index:\n- name: ")
    card = "---\nmodel-index: []\n---\n"
    assert merge_card(card, title="M", section="New.", index=[]).startswith(card)


def bomb(form: str) -> str:
    """Nine lines of aliases, each of nine aliases to the line before: a billion values."""
    return "".join(f"a{i}: &a{i} {form % ', '.join([f'*a{i - 1}'] * 9)}\n" for i in range(1, 10))


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ("a: " + "[" * 5000 + "]" * 5000, r"cannot be read \(nested too deeply\)"),
        ("date: 2024-13-45", r"cannot be read \(month must be in 1..12"),
        ("n: " + "9" * 5000, r"cannot be read \(Exceeds the limit"),
        ("a: " + "[" * 60 + "]" * 60, r"cannot be read \(nested over 50 levels"),
        ("a: &a [*a]", r"cannot be read \(nested over 50 levels, or an alias of what it is in\); fix it"),
        ("model-index: &a\n- name: x\n  results: *a", "or an alias of what it is in"),
        ("a0: &a0 [x, y]\n" + bomb("[%s]"), "cannot be read .[0-9,]+ values with its aliases written out"),
        ("a0: &a0 {x: y}\n" + bomb("{<<: [%s]}"), "[0-9,]+ values with its aliases written out, at most"),
    ],
)
def test_metadata_that_python_cannot_hold_is_refused(metadata: str, reason: str) -> None:
    card = f"---\n{metadata}\n---\n# M\n"
    for check in (check_accepted, merge):
        with pytest.raises(CardError, match=reason):
            check(card)


def test_what_the_hub_does_not_accept_is_refused_and_the_entry_named() -> None:
    no_task = (
        "---\nmodel-index:\n- name: m\n  results:\n"
        "  - task: {type: t}\n    dataset: {name: x, type: x}\n    metrics: [{type: accuracy, value: 0.5}]\n"
        "  - dataset: {name: x, type: x}\n    metrics: [{type: accuracy, value: 0.5}]\n---\n# M\n"
    )
    with pytest.raises(CardError, match="does not accept its metadata: entry 2 of model-index has no 'task'"):
        check_accepted(no_task)
    with pytest.raises(CardError, match="its datasets holds null, which the Hub does not accept"):
        check_accepted("---\nlicense: mit\ndatasets:\n- null\n---\n# M\n")
    with pytest.raises(CardError, match="does not accept its metadata: Invalid `model_index`"):
        check_accepted("---\nmodel-index: soon\n---\n")
    check_accepted("---\nlicense: mit\n---\n# M\n")
    check_accepted("# no metadata\n")


def test_the_heading_of_a_new_card_is_text() -> None:
    card = merge_card(None, title="<script>\n# [x](y)", section="New.", index=[])
    assert card.startswith("# \\<script\\> # \\[x\\](y)\n")
