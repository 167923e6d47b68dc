"""What difference between two models each task can show, before any model is run."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders import RawFiles
from gene_eval.analysis.power import class_sizes, planned, why_unranked
from gene_eval.core.statistics.power import mean_auc_standard_error
from gene_eval.running.outcome import Failure
from gene_eval.running.tasks import collect_tasks
from gene_eval.text import say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["power", "task_powers"]

_COLUMNS = (
    *("task", "family", "target", "n", "classes", "smallest_class", "std_error", "detectable", "is_ranked"),
    "why_unranked",
)


def power(tasks: Any = (), *, data_dir: Path | str | None = None) -> "pd.DataFrame":
    """The planned minimal detectable difference of tasks, from their class sizes (see docs/statistics.md).

    Args:
        tasks: As `gene_eval.run` takes them; none at all means every task that a plain run scores.
        data_dir: Folder with raw files.

    Returns:
        One row for each task: `n`, `classes` (labels of a multi-label task; 1 of a binary one), `smallest_class`,
        `std_error` of a ROC-AUC of 0.75, `detectable`, `is_ranked` and `why_unranked`. Numbers have no ROC-AUC: nan. A
        task that cannot be built is left out, and a line says why.

    >>> frame = power("starter_is_tf").set_index("task")
    >>> [int(frame.loc["starter_is_tf", name]) for name in ("n", "smallest_class")]
    [320, 64]
    """
    import pandas as pd

    rows, _ = task_powers(tasks, data_dir=data_dir)
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def task_powers(
    tasks: Any, *, data_dir: Path | str | None = None, log: Callable[[str], None] = say
) -> tuple[list[dict[str, Any]], list[Failure]]:
    """The rows of `power`, and what could not be built; each is told when it is found."""
    rows: list[dict[str, Any]] = []
    failures: list[Failure] = []
    for item in collect_tasks(tasks, RawFiles(None if data_dir is None else Path(data_dir).expanduser())):
        if isinstance(item, Failure):
            failures.append(item)
            log(f"failed: {item.task}: {item.reason}")
            continue
        record, sizes = item.record, class_sizes(item.record)
        rows.append(
            {
                "task": record.id,
                "family": record.family,
                "target": record.target,
                "n": record.n,
                "classes": len(sizes),
                "smallest_class": min(map(min, sizes)) if sizes else None,
                "std_error": mean_auc_standard_error(sizes),
                "detectable": planned(record),
                "is_ranked": not why_unranked(record),
                "why_unranked": why_unranked(record),
            }
        )
    return rows, failures
