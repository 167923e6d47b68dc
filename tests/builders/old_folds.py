"""The folds of before the first release, to compare scores with those of that time.

`hold_old_folds()` makes every table that is built from then on have them; give it a cache of its own.
"""

import hashlib

import numpy as np
import pyarrow as pa

from builders import ENTITY_COLUMNS, base, entity_keys, label_tasks, labels


def assign_folds_in_turn(keys, classes=None):
    """Entities in the order of class number and hash, dealt to the folds in turn."""
    digests = b"".join(hashlib.sha256(f"0:{key}".encode()).digest() for key in keys)
    words = np.frombuffer(digests, dtype=">u8").reshape(len(keys), -1).T
    stratum = np.zeros(len(keys)) if classes is None else np.asarray(classes)
    order = np.lexsort((*words[::-1], stratum))
    folds = np.empty(len(keys), dtype=np.int8)
    folds[order] = np.arange(len(keys)) % 5
    return folds


def task_table_with_old_folds(entities, values, names, config):
    table, features = labels.task_table(entities, values, names, config)
    keys = entity_keys(entities[column] for column in ENTITY_COLUMNS[config.entity])
    classes = values if config.target in ("binary", "multiclass") else None
    number = table.column_names.index("fold")
    return table.set_column(number, "fold", pa.array(assign_folds_in_turn(keys, classes), pa.int8())), features


def hold_old_folds(replace=setattr):
    """`replace` is `setattr`, or that of `monkeypatch`."""
    for module in (base, label_tasks):
        replace(module, "task_table", task_table_with_old_folds)
