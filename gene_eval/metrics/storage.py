"""How the `evaluate` modules store references: as a kind that keeps all of them exactly, chosen by looking at all."""

from collections.abc import Iterable
from typing import Any

import datasets

from gene_eval.core.errors import ProbeError
from gene_eval.core.references import reference_kind

__all__ = ["LosslessReferences"]

# Lists first: a Space's widget reads the first one and then takes references as JSON, which keeps 1 and 1.0 apart.
KINDS = {
    "lists": datasets.List(datasets.Value("int64")),
    "whole": datasets.Value("int64"),
    "decimal": datasets.Value("float64"),
}


class LosslessReferences:
    """Mixin that comes before `evaluate.Metric` or `evaluate.Comparison` among the bases of a module.

    `evaluate` would take the first feature that does not fail, and store 2.5 as the whole number 2.
    """

    features: list[datasets.Features]
    selected_feature_format: datasets.Features | None

    @staticmethod
    def choices(**columns: Any) -> list[datasets.Features]:
        """The module's `features`: these columns with each kind of references."""
        return [datasets.Features(**columns, references=kind) for kind in KINDS.values()]

    def add(self, *, prediction: Any = None, reference: Any = None, **kwargs: Any) -> None:
        """Add one row; see `evaluate.EvaluationModule.add`.

        Raises:
            ProbeError: The reference is of another kind than those before it.
        """
        self.check_kind([reference])
        super().add(prediction=prediction, reference=reference, **kwargs)  # type: ignore[misc]  # of the other base

    def check_kind(self, references: Iterable[Any]) -> None:
        """Refuse references of another kind than the first ones.

        Raises:
            ProbeError: They are.
        """
        kind = KINDS[reference_kind(references)]
        if self.selected_feature_format is not None and self.selected_feature_format["references"] != kind:
            first = self.selected_feature_format["references"]
            msg = f"references changed from {first} to {kind} between batches; give all as one kind"
            raise ProbeError(msg)

    def _infer_feature_from_batch(self, batch: dict[str, Any]) -> datasets.Features:
        kind = KINDS[reference_kind(batch["references"])]
        return next(features for features in self.features if features["references"] == kind)

    def _infer_feature_from_example(self, example: dict[str, Any]) -> datasets.Features:
        return self._infer_feature_from_batch({"references": [example["references"]]})
