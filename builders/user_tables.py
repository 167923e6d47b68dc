"""A user's own task that is a frame or Dataset in memory: the same rules as for a source, without a file or a cache."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from builders.audit import Audit
from builders.config import ENTITY_COLUMNS, TaskConfig
from builders.errors import MissingFileError, TaskDataError
from builders.labels import Target
from builders.symbols import HGNC, SymbolResolver

if TYPE_CHECKING:
    import pandas as pd

    from builders.catalog import Built
    from builders.raw_files import RawFiles

__all__ = ["build_table"]

NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def build_table(name: str, table: Any, raw: RawFiles) -> Built:
    """Make a task of a table.

    Args:
        name: Task id.
        table: Frame or Dataset with `label` and an entity: `symbol`, or the one other column of texts, or the index of a
            frame, with gene identifiers of any kind; `symbol_a` and `symbol_b`; `symbol` and `disease_id`. A column
            `fold` is taken as it is. Labels that are all 0 and 1, or true and false, are binary (1 is positive), lists
            multi-label, other numbers with a fraction regression, everything else classes; the classes of a `ClassLabel`
            keep their names and order.
        raw: Where HGNC's complete set is, to resolve identifiers; without it they are taken as they are.

    Raises:
        TaskDataError: There is no entity column or no `label`, or the rows make no task.
    """
    from builders.base import finish_task

    if not NAME.fullmatch(name):
        message = f"a table is named {name!r}; expected letters, digits, '_', '.' and '-'"
        raise TaskDataError(message)
    frame, names = _read(name, table)
    entity, keys = _entity(name, frame)
    rows = frame[[*keys, "label", *(["fold"] if "fold" in frame else [])]].dropna(subset=[*keys, "label"])
    target, label_names = _target(rows["label"], names)
    if target in ("binary", "multiclass"):
        order = label_names or ()
        rows = rows.assign(label=[_class_name(value, names) for value in rows["label"]])
    else:
        order = ()
    config = TaskConfig(
        name=name,
        description=f"The user's table {name}.",
        target=target,
        entity=entity,
        family="user",
        labels=order or None,
        source="user",
    )
    return finish_task(config, rows.rename(columns={keys[0]: ENTITY_COLUMNS[entity][0]}), resolver=_resolver(raw))
