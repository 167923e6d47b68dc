"""Configs as plain data: what they refuse, and which of their fields rows depend on."""

import pytest

from builders import TableConfig, TaskConfig, configs, entity_keys
from builders.errors import TaskDataError


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TaskConfig("a/b"), r"^task name 'a/b'; expected letters, digits, '_', '\.' or '-', such as source_task$"),
        (TaskConfig(""), r"^task name ''; expected"),
        (TaskConfig(".hidden"), r"^task name '\.hidden'; expected"),
        (TableConfig("a b"), r"^task name 'a b'; expected"),
        (TaskConfig("a", target="binry"), r"^a: target is 'binry', expected binary, .*; did you mean 'binary'\?$"),
        (TaskConfig("a", entity="genes"), r"^a: entity is 'genes', expected gene, .*; did you mean 'gene'\?$"),
        (TaskConfig("a", family=None), r"^a: family is None, expected genomic, "),
        (
            TaskConfig("a", duplicates="unite"),
            r"^a: duplicates is 'unite', expected agree, union; did you mean 'union'\?$",
        ),
    ],
)
def test_what_a_config_cannot_be(config, message):
    with pytest.raises(TaskDataError, match=message):
        config.validate()


def test_versions_are_plain_text():
    assert configs()["humantfs_is_tf"].version == "1.1.0"
    assert configs()["genes"].version == "1.0.0"
    assert {type(config.version) for config in configs().values()} == {str}


def test_descriptive_fields_do_not_build_anything_again():
    first = TaskConfig("a", description="One.", family="genomic", paper_name="A", ranked=False)
    assert first.row_fields() == TaskConfig("a", description="Two.", family="protein").row_fields()
    for field, value in (("column", "x"), ("labels", ("a", "b")), ("duplicates", "union"), ("version", "2.0.0")):
        assert first.row_fields() != TaskConfig("a", **{field: value}).row_fields()


def test_keys_of_entities():
    assert entity_keys([["B", "A"]]) == ["B", "A"]
    assert entity_keys({"symbol_a": ["A", "B"], "symbol_b": ["C", "D"]}.values()) == ["A\tC", "B\tD"]
    with pytest.raises(ValueError, match="zip"):
        entity_keys([["A"], []])
