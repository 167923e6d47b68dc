"""What tasks and models there are, for a notebook and for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from builders import TaskConfig, configs, select
from gene_eval.catalogue.suites import expand
from gene_eval.catalogue.suites import suites as named_suites
from gene_eval.text import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FILTERS", "model_facts", "models", "suite_facts", "suites", "task_facts", "tasks"]

FILTERS = ("target", "family", "entity", "source")
_FACTS = (
    *("name", "version", "target", "entity", "family", "figure2_family", "source", "column", "labels", "license"),
    *("description", "paper_name", "paper_size", "ranked", "gene_table"),
)
_OF_SEQUENCES = ("category", "collection", "upstream_id", "species")
"""Facts that only tasks about sequences have."""


def tasks(*patterns: str, **filters: str) -> pd.DataFrame:
    """The tasks that match, one a row, by name.

    Args:
        *patterns: Names, globs such as "reactome_*" or suites such as "@starter"; none means all.
        **filters: A value of `target`, `family`, `entity` or `source`.

    Raises:
        BuilderError: A pattern matches no task; the nearest name is suggested.
        GeneBenchError: No task has the value of a filter.

    >>> tasks("starter_*")["target"].to_dict()["starter_is_tf"]
    'binary'
    """
    import pandas as pd

    columns = [*_FACTS, *_OF_SEQUENCES]
    return pd.DataFrame(task_facts(patterns, **filters), columns=columns).set_index("name", drop=False)


def models() -> pd.DataFrame:
    """The model adapters, one a row, by name.

    >>> models().loc["bag-of-words", "family"]
    'text'
    """
    import pandas as pd

    return pd.DataFrame(model_facts()).set_index("name", drop=False)


def suites() -> pd.DataFrame:
    """The suites, versioned lists of tasks, one a row, by name.

    >>> int(suites().loc["starter", "n_tasks"])
    4
    """
    import pandas as pd

    return pd.DataFrame(suite_facts()).set_index("name", drop=False)


def suite_facts() -> list[dict[str, Any]]:
    """Everything about each suite; `name` is without the `@` of `-t @NAME`."""
    return [
        {
            "name": suite.name,
            "version": suite.version,
            "n_tasks": len(suite.tasks),
            "description": suite.description,
            "tasks": list(suite.tasks),
        }
        for suite in named_suites().values()
    ]


def task_facts(patterns: Sequence[str] = (), **filters: str | None) -> list[dict[str, Any]]:
    """Everything about each task that matches, in catalogue order; a filter that is None filters nothing.

    Raises:
        BuilderError: A pattern matches no task.
        GeneBenchError: There is no such filter, or no task has its value.
    """
    known = configs()
    chosen = [config for name in select(expand(patterns)) if isinstance(config := known[name], TaskConfig)]
    for name, wanted in filters.items():
        values = {str(getattr(each, name, "")) for each in known.values() if isinstance(each, TaskConfig)} - {""}
        if name not in FILTERS or wanted not in (None, *values):
            # Late, like all that loads NumPy.
            from gene_eval.errors import GeneBenchError

            message = f"no filter {name!r}; {did_you_mean(name, FILTERS)}"
            if name in FILTERS:
                message = f"no task has {name} {wanted!r}; {did_you_mean(str(wanted), sorted(values))}"
            raise GeneBenchError(message)
        chosen = [config for config in chosen if wanted in (None, getattr(config, name))]
    return [
        {name: getattr(config, name) for name in (*_FACTS, *_OF_SEQUENCES) if hasattr(config, name)}
        | {"version": str(config.version)}
        for config in chosen
    ]


def model_facts() -> list[dict[str, Any]]:
    """How MODEL is written for each adapter, and what its vectors are made of."""
    # Late: a list of tasks should not wait for NumPy.
    from model_adapters import describe

    return [{"name": name, **asdict(info)} for name, info in describe().items()]
