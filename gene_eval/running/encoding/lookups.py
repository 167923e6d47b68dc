"""The controls that look labels up instead of fitting vectors: `lookup:family`, `lookup:pair`."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from gene_eval.core.lookup import Groups
from gene_eval.errors import GeneBenchError
from gene_eval.running.encoding.vectors import Gathered, ModelVectors
from gene_eval.running.tasks import TaskArrays

__all__ = ["LookupVectors", "is_lookup"]


def is_lookup(model: Any) -> bool:
    """Whether a model is scored by `gene_eval.core.lookup`."""
    return isinstance(getattr(model, "lookup_by", None), str)


class LookupVectors(ModelVectors):
    """In place of vectors, the groups of each entity: the families of its genes, or its genes themselves."""

    def known(self, task: TaskArrays) -> npt.NDArray[np.bool_]:
        """(n,) every entity, since each gene is at least a group of its own."""
        return np.ones(task.record.n, dtype=bool)

    def gather(
        self, task: TaskArrays, *, keep: npt.NDArray[np.bool_] | None = None, pairs: str = "average"
    ) -> Gathered:
        """Groups of a task's entities.

        Raises:
            GeneBenchError: The task knows no families, or is not about pairs.
        """
        rows = np.arange(task.record.n) if keep is None else np.flatnonzero(keep)
        columns = list(self._groups(task).values())
        number = {name: i for i, name in enumerate(sorted({name for column in columns for name in column}))}
        codes = np.array([[number[name] for name in column] for column in columns], dtype=np.int64).T
        lines = "\n".join(
            f"{key}\t{group}" for key, group in sorted(zip(task.keys, map(str, codes.tolist()), strict=True))
        )
        digest = hashlib.sha256("\n".join([*number, lines]).encode()).hexdigest()
        return Gathered(Groups(codes[rows]), rows, [], 0, digest, {})

    def _groups(self, task: TaskArrays) -> dict[str, Any]:
        by: str = self.model.options["by"]
        if by == "family":
            if not task.families:
                message = f"{task.record.id} was built without families of genes, which {self.name} looks up"
                raise GeneBenchError(message)
            return dict(task.families)
        if task.record.entity != "gene_pair":
            message = f"{self.name} is for pairs of genes, but {task.record.id} has none; use lookup:family"
            raise GeneBenchError(message)
        return dict(task.entities)
