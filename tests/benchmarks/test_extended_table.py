"""The table of docs/extended.md: when a control explains a task, and what docs/tasks.md takes from it."""

import pytest

from benchmarks.extended_table import FIELDS, explained, figures, measured, table
from builders import configs

SCORES = {"publications": 0.7, "family lookup": 0.94, "random": 0.5, "bag-of-words": 0.75, "MiniLM": 0.9}


def test_shares_are_of_the_best_model_above_a_guess():
    assert explained(SCORES, 0.5) == {
        "publications": pytest.approx(0.2 / 0.4),
        "family lookup": pytest.approx(0.44 / 0.4),
    }
    # R2: a guess gets 0. No model beats it: nothing is explained.
    assert explained({"publications": 0.08, "bag-of-words": 0.1}, 0.0) == {"publications": pytest.approx(0.8)}
    assert explained({"publications": 0.6, "bag-of-words": 0.4}, 0.5) == {}


def test_the_table_flags_what_a_control_explains():
    found = {"a": ("binary", 1234, SCORES), "b": ("regression", 50, {"publications": 0.1, "bag-of-words": 0.2})}
    lines = table(found).splitlines()
    assert lines[0] == (
        "| task | metric | n | publications | family lookup | random | bag-of-words | MiniLM | HPA expression"
        " | explained by |"
    )
    assert lines[2] == "| `a` | roc_auc | 1,234 | 0.700 | 0.940 | 0.500 | 0.750 | 0.900 |  | family lookup (110%) |"
    assert lines[3].endswith("| 0.200 |  |  |  |")
    assert figures(found) == [
        FIELDS,
        ("a", "roc_auc", "0.700", "0.940", "0.900", "MiniLM", "family lookup (110%)"),
        ("b", "r2", "0.100", "", "0.200", "bag-of-words", ""),
    ]


def test_every_task_that_says_who_made_it_is_measured_and_no_task_of_the_paper():
    tasks, known = measured(), configs()
    assert {"bagel_core_essential", "go_newly_annotated_process", "hpa_plasma_membrane", "tcrd_development_level"} <= {
        *tasks
    }
    assert [name for name in tasks if not known[name].bias] == []
    # The starter's, the paper's and GENEB's tasks are described elsewhere.
    others = [name for name, each in known.items() if getattr(each, "made_by", "") and name not in tasks]
    assert others == []
