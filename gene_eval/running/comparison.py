"""A comparison of two models in Python: sentences and tables when it is printed, frames when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gene_eval.analysis.compare import Comparison
from gene_eval.core.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ModelComparison"]


@dataclass(frozen=True, repr=False)
class ModelComparison:
    """Two models on all tasks that can be paired; printed, it says in sentences and tables what was found.

    Attributes:
        comparison: The numbers, see `gene_eval.analysis.compare.Comparison`.
    """

    comparison: Comparison

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was left out, and why."""
        return self.comparison.warnings

    def to_frame(self, level: Literal["tasks", "groups"] = "tasks") -> pd.DataFrame:
        """One row for each task ("tasks") or group of tasks ("groups").

        Returns:
            `mean_a`, `mean_b`, `difference`, its 95 % interval `low` to `high`, `p_value`, `holm_p`, which model is
            `better` (its name, or an empty string), and further columns of the level.

        Raises:
            UnknownNameError: There is no such level.
        """
        import pandas as pd

        if level not in ("tasks", "groups"):
            raise UnknownNameError(level, kind="level", known=("tasks", "groups"))
        names = {"a": self.comparison.model_a, "b": self.comparison.model_b, "": ""}
        if level == "tasks":
            rows: list[dict[str, Any]] = [
                {
                    "task": each.task.id,
                    "family": each.task.family,
                    "metric": each.metric,
                    "n_scored": each.n_scored,
                    "mean_a": each.mean_a,
                    "mean_b": each.mean_b,
                    "difference": each.test.difference,
                    "low": each.test.low,
                    "high": each.test.high,
                    "p_value": each.test.p_value,
                    "holm_p": each.holm_p,
                    "bh_p": each.bh_p,
                    "detectable": each.detectable,
                    "detectable_low": each.detectable_interval[0],
                    "detectable_high": each.detectable_interval[1],
                    "better": names[each.better],
                }
                for each in self.comparison.tasks
            ]
            return pd.DataFrame(rows)
        wanted = ("metric", "n_tasks", "basis", "mean_a", "mean_b", "difference", "low", "high", "p_value", "holm_p")
        return pd.DataFrame(
            [
                {
                    "group": group.name,
                    **{name: getattr(group, name) for name in wanted},
                    "better": names[group.better],
                }
                for group in self.comparison.groups
            ]
        )

    def __repr__(self) -> str:
        """Sentences, a table of groups and a table of tasks."""
        from gene_eval.reporting import comparison_text

        return comparison_text.to_text(self.comparison).rstrip("\n")
