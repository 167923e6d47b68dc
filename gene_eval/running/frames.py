"""What reports say of results, as frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gene_eval.analysis.tables import Report, Table
from gene_eval.reporting.rows import BESIDE_CONTROLS, EXPLAINED, rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["beside_controls", "explained"]


def beside_controls(report: Report) -> pd.DataFrame:
    """See `gene_eval.running.outcome.Results.beside_controls`."""
    import pandas as pd

    found = [
        {**_settings(report, table), **{name: row[name] for name in ("task", "model", "metric", "mean")}}
        | {name: row[name] for name in BESIDE_CONTROLS}
        for table in report.tables
        for row in rows(table)
        if row["level"] == "task" and row["is_near_control"] is not None
    ]
    return pd.DataFrame(found, columns=None if found else ["task", "model", "metric", "mean", *BESIDE_CONTROLS])


def explained(report: Report) -> pd.DataFrame:
    """See `gene_eval.running.outcome.Results.explained`."""
    import pandas as pd

    columns = ["task", "model", "metric", "mean", *EXPLAINED]
    found = [
        {**_settings(report, table), **{name: row[name] for name in columns}}
        for table in report.tables
        for row in rows(table)
        if row["level"] == "task" and any(row[name] is not None for name in EXPLAINED)
    ]
    return pd.DataFrame(found, columns=None if found else columns)


def _settings(report: Report, table: Table) -> dict[str, Any]:
    return {"settings": str(table.settings)} if len(report.tables) > 1 else {}
