"""The folds of before the first release, to compare scores with those of that time.

`hold_old_folds()` makes every table that is built from then on have them; give it a cache of its own.
"""

import hashlib
from dataclasses import replace

import numpy as np

from builders import base, entity_keys, label_tasks, labels


def assign_folds_in_turn(keys, classes=None):
    """Entities in the order of class number and hash, dealt to the folds in turn."""
    digests = b"".join(hashlib.sha256(f"0:{key}".encode()).digest() for key in keys)
    words = np.frombuffer(digests, dtype=">u8").reshape(len(keys), -1).T
    stratum = np.zeros(len(keys)) if classes is None else np.asarray(classes)
    order = np.lexsort((*words[::-1], stratum))
    folds = np.empty(len(keys), dtype=np.int8)
    folds[order] = np.arange(len(keys)) % 5
    return folds


def task_table_with_old_folds(rows, values, names, config, columns):
    classes = values if config.target in ("binary", "multiclass") else None
    folds = assign_folds_in_turn(entity_keys(rows.entities.values()), classes)
    return labels.task_table(rows, values, names, config, replace(columns, folds={**columns.folds, "fold": folds}))


def hold_old_folds(patch=setattr):
    """`patch` is `setattr`, or that of `monkeypatch`."""
    for module in (base, label_tasks):
        patch(module, "task_table", task_table_with_old_folds)
