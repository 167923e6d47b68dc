"""What tasks and models there are, for a notebook and for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from builders import TaskConfig, configs, select

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["model_facts", "models", "task_facts", "tasks"]

_FACTS = (
    *("name", "version", "target", "entity", "family", "figure2_family", "source", "column", "labels", "license"),
    *("description", "paper_name", "paper_size", "ranked", "gene_table"),
)
_OF_SEQUENCES = ("category", "collection", "upstream_id", "species")
"""Facts that only tasks about sequences have."""


def tasks(*patterns: str) -> pd.DataFrame:
    """The tasks that match, one a row, by name.

    Args:
        *patterns: Names or globs such as "reactome_*"; none means all.

    Raises:
        BuilderError: A pattern matches no task; the nearest name is suggested.

    >>> tasks("starter_*")["target"].to_dict()["starter_is_tf"]
    'binary'
    """
    import pandas as pd

    return pd.DataFrame(task_facts(patterns), columns=[*_FACTS, *_OF_SEQUENCES]).set_index("name", drop=False)


def models() -> pd.DataFrame:
    """The model adapters, one a row, by name.

    >>> models().loc["bag-of-words", "family"]
    'text'
    """
    import pandas as pd

    return pd.DataFrame(model_facts()).set_index("name", drop=False)


def task_facts(patterns: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Everything about each task that matches, in catalogue order."""
    known = configs()
    chosen = [config for name in select(patterns) if isinstance(config := known[name], TaskConfig)]
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
