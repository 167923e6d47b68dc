"""What was predicted for each held-out entity: `<result>.predictions.parquet`, bound to its result by a hash.

Columns: those of the entity (`symbol`; `symbol_a`, `symbol_b`; ...), `fold` (number of the split that held the row
out), `label` (what the task holds: a class number, a list of them, or a number), and scores as float32, higher for more
likely: `score` for binary tasks (log-odds) and regression (the predicted value), `score_<label>` for each class
(probability) or label (log-odds). In column names, labels are written as `gene_eval.results.paths.slug` does; the
metadata of the schema holds their names, in the order of the columns.
"""

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gene_eval.errors import ResultError
from gene_eval.results.paths import slug
from gene_eval.results.records import TaskRecord, TaskResult

# Late everywhere else: reading and writing results needs none of them.
if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = [
    "check_predictions",
    "has_predictions",
    "make_predictions",
    "read_predictions",
    "read_table",
    "score_columns",
    "to_parquet",
]

METADATA = b"gene_bench"


def score_columns(target: str, label_names: Sequence[str]) -> tuple[str, ...]:
    """Names of the score columns of a task, one for each label of a multi-class or multi-label task.

    >>> score_columns("multilabel", ["nucleus", "Golgi apparatus"])
    ('score_nucleus', 'score_Golgi-apparatus-eb43519a')
    """
    if target in ("binary", "regression"):
        return ("score",)
    return tuple(f"score_{slug(name)}" for name in label_names)


def make_predictions(
    task: TaskRecord,
    *,
    entities: Mapping[str, Sequence[str]],
    labels: npt.NDArray[Any],
    values: npt.NDArray[Any],
    folds: npt.NDArray[np.integer[Any]],
) -> "pa.Table":
    """Put what `gene_eval.core.probe` returns into the form of the file; rows that were never held out are left out.

    Args:
        task: What a result says about the task.
        entities: Entity column to the (n,) identifiers of the rows that were scored.
        labels: As `probe` takes them: (n,), or (n, L) 0/1 for a multi-label task.
        values: `ProbeResult.values`: (n,), (n, L), or (n, K) for the K classes that are in `labels`.
        folds: `ProbeResult.split_of_row`: (n,), -1 where a row was never held out.
    """
    import pyarrow as pa

    kept = np.flatnonzero(np.asarray(folds) >= 0)
    held = {name: pa.array(np.asarray(column, dtype=object)[kept], pa.string()) for name, column in entities.items()}
    held["fold"] = pa.array(np.asarray(folds)[kept], pa.int16())
    if task.target == "multilabel":
        held["label"] = pa.array([np.flatnonzero(row) for row in labels[kept]], pa.list_(pa.int32()))
    else:
        held["label"] = pa.array(labels[kept], pa.float64() if task.target == "regression" else pa.int32())
    columns = score_columns(task.target, task.label_names)
    scores = np.asarray(values, dtype=np.float64).reshape(len(labels), -1)
    if task.target == "multiclass":
        # The probe knows the classes of the rows that it was given; a class that none of them has is never predicted.
        scores_of_all = np.zeros((len(labels), len(columns)))
        scores_of_all[:, np.unique(labels)] = scores
        scores = scores_of_all
    # Seven digits order 400,000 rows as well as sixteen do, in half the space.
    held |= {name: pa.array(column, pa.float32()) for name, column in zip(columns, scores[kept].T, strict=True)}
    metadata = json.dumps({"task": task.id, "target": task.target, "label_names": list(task.label_names)})
    return pa.table(held).replace_schema_metadata({METADATA: metadata.encode()})


def check_predictions(table: "pa.Table", result: TaskResult) -> None:
    """Compare a table with the result that it belongs to.

    Raises:
        ResultError: Its columns are not those of the task, or it has more rows than were scored.
    """
    expected = ("fold", "label", *score_columns(result.task.target, result.task.label_names))
    if missing := [name for name in expected if name not in table.column_names]:
        msg = f"no column {missing[0]!r}; predictions of {result.task.id} need an entity, {', '.join(expected[:4])}"
        raise ResultError(msg)
    if len(table.column_names) == len(expected):
        msg = "no column that says which gene a row is about"
        raise ResultError(msg)
    if not 0 < len(table) <= result.coverage.n_scored:
        msg = f"{len(table):,} rows, but {result.coverage.n_scored:,} entities were scored"
        raise ResultError(msg)


def to_parquet(predictions: "pd.DataFrame | pa.Table", result: TaskResult) -> bytes:
    """The file's content, after `check_predictions`.

    Raises:
        ResultError: They do not fit the result.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    is_table = isinstance(predictions, pa.Table)
    table = predictions if is_table else pa.Table.from_pandas(predictions, preserve_index=False)
    check_predictions(table, result)
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    return content.getvalue()


def read_predictions(path: str | os.PathLike[str], result: TaskResult) -> "pd.DataFrame":
    """Read the predictions of a result as a frame; see `read_table`."""
    frame: pd.DataFrame = read_table(path, result).to_pandas()
    return frame


def has_predictions(path: str | os.PathLike[str], result: TaskResult) -> bool:
    """Return whether the predictions of a result are there as they were written."""
    try:
        read_table(path, result)
    except ResultError:
        return False
    return True


def read_table(path: str | os.PathLike[str], result: TaskResult) -> "pa.Table":
    """Read the predictions of a result.

    Raises:
        ResultError: The result has none, or the file is not the one that was written with it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    try:
        if result.predictions is None:
            msg = "its result was saved without predictions"
            raise ResultError(msg)
        if path.exists() and not path.is_file():
            msg = "no regular file"
            raise ResultError(msg)
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest != result.predictions.sha256:
            msg = f"sha256 is {digest[:16]}..., but its result says {result.predictions.sha256[:16]}..."
            raise ResultError(msg)
        table = pq.read_table(io.BytesIO(content))
        check_predictions(table, result)
    except (OSError, pa.ArrowException, ResultError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())
        msg = f"cannot read predictions {path}: {reason}; run the task again with --predictions --overwrite"
        raise ResultError(msg) from error
    return table
