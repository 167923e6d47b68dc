"""What labels handed over as plain lists mean: shared by the `evaluate` modules, which know no task."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from gene_eval.core.errors import ProbeError

__all__ = ["indicator", "infer_target", "reference_kind"]


def reference_kind(references: Iterable[Any]) -> str:
    """How references can be stored without loss: "lists" of whole numbers, "whole" numbers or "decimal" ones.

    Raises:
        ProbeError: They are not numbers, or lists of decimals.

    >>> reference_kind([0, 1]), reference_kind([0, 1.5]), reference_kind([[0, 1], []])
    ('whole', 'decimal', 'lists')
    """
    rows = references if isinstance(references, np.ndarray) else list(references)
    nested = np.ndim(rows[0]) > 0
    values = np.asarray(list(chain.from_iterable(rows)) if nested else rows)
    if values.size and values.dtype.kind not in "biuf":
        msg = f"references must be numbers or lists of numbers, got {rows[0]!r}; give classes as ids 0, 1, ..."
        raise ProbeError(msg)
    if not nested:
        return "decimal" if values.dtype.kind == "f" else "whole"
    if values.dtype.kind == "f" and (values != np.floor(values)).any():
        msg = f"references in lists must be 0/1 columns or class ids, got {values[values != np.floor(values)][0]:g}"
        raise ProbeError(msg)
    return "lists"


def infer_target(references: Sequence[Any]) -> str:
    """Target of references that come without one: lists multilabel, floats regression, 0/1 binary, other multiclass.

    >>> infer_target([0, 1, 2]), infer_target([0, 1]), infer_target([0.0, 1.0]), infer_target([[0], []])
    ('multiclass', 'binary', 'regression', 'multilabel')
    """
    if isinstance(references[0], list):
        return "multilabel"
    if isinstance(references[0], float):
        return "regression"
    return "binary" if set(references) <= {0, 1} else "multiclass"


def indicator(references: Sequence[Sequence[int]], num_labels: int) -> npt.NDArray[np.int64]:
    """(n, L) 0/1 from rows that are 0/1 columns already, or lists of class ids; 0 labels means not known.

    Raises:
        ProbeError: Class ids of an unknown number of labels, or one outside that number.

    >>> indicator([[2], [0, 1]], 3).tolist()
    [[0, 0, 1], [1, 1, 0]]
    """
    widths = {len(row) for row in references}
    values = set(chain.from_iterable(references))
    # If they were class ids, rows of full length would give every gene every label: such rows are columns.
    if len(widths) == 1 and values <= {0, 1} and num_labels in (0, *widths):
        return np.asarray(references)
    if not num_labels:
        msg = "references are lists of class ids, so the number of labels is unknown; give num_labels or label_names"
        raise ProbeError(msg)
    outside = sorted(value for value in values if not 0 <= value < num_labels)
    if outside:
        msg = f"class id {outside[0]} in references is outside 0..{num_labels - 1} ({num_labels} labels)"
        raise ProbeError(msg)
    table = np.zeros((len(references), num_labels), dtype=np.int64)
    for row, ids in enumerate(references):
        table[row, ids] = 1
    return table
