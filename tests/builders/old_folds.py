"""The folds of before the first release, to compare scores: `monkeypatch.setattr(folds, "assign_folds", ...)`."""

import hashlib

import numpy as np


def assign_folds_in_turn(keys, classes=None):
    """Entities in the order of class and hash, dealt to the folds in turn; `classes` in their order by name."""
    digests = b"".join(hashlib.sha256(f"0:{key}".encode()).digest() for key in keys)
    words = np.frombuffer(digests, dtype=">u8").reshape(len(keys), -1).T
    stratum = np.zeros(len(keys)) if classes is None else np.unique(classes, return_inverse=True)[1]
    order = np.lexsort((*words[::-1], stratum))
    folds = np.empty(len(keys), dtype=np.int8)
    folds[order] = np.arange(len(keys)) % 5
    return folds
