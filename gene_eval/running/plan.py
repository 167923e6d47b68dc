"""What a run consists of: its models, its tasks, and one cell for each model, task and thing that is fitted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from gene_eval.results.paths import path_for
from gene_eval.results.settings import UNSEEN, Settings, common_entities
from gene_eval.running.encoding.vectors import ModelVectors
from gene_eval.running.fitting import Fit
from gene_eval.running.options import RunOptions

__all__ = ["Cell", "Plan", "RunModels"]


class Cell(NamedTuple):
    """One result: positions of its model, its task and its fit in the plan. Cells sort in the order of a run."""

    model: int
    task: int
    fit: int


@dataclass(frozen=True)
class RunModels:
    """The models of a run.

    Args:
        asked: Those that were asked for.
        controls: Controls that are scored with them.
        covariates: Covariates of a gain.
        diseases: Encodes diseases for all others.
        terms: Encodes terms of the Gene Ontology for all others.
    """

    asked: Sequence[ModelVectors]
    controls: Sequence[ModelVectors] = ()
    covariates: ModelVectors | None = None
    diseases: ModelVectors | None = None
    terms: ModelVectors | None = None

    @property
    def scored(self) -> list[ModelVectors]:
        """All that are scored."""
        return [*self.asked, *self.controls]


@dataclass(frozen=True)
class Plan:
    """The cells of a run, the same on one machine and on many.

    Args:
        models: Models of the run.
        tasks: Tasks as arrays (`gene_eval.running.tasks.TaskArrays`), or what stands for them where workers have these.
        fits: Fits of the run.
    """

    models: RunModels
    tasks: Sequence[Any]
    fits: Sequence[Fit]

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.models.scored) * len(self.tasks) * len(self.fits)

    def cells(self) -> Iterator[Cell]:
        """All cells: model after model, so that the vectors of one are in memory at a time."""
        for model in range(len(self.models.scored)):
            for task in range(len(self.tasks)):
                for fit in range(len(self.fits)):
                    yield Cell(model, task, fit)

    def settings(self, cell: Cell, options: RunOptions) -> Settings:
        """The axes of a cell's result."""
        settings = self.fits[cell.fit].settings(options.settings(self.tasks[cell.task]))
        if options.common_genes:
            return replace(settings, entities=common_entities(each.name for each in self.models.asked))
        return replace(settings, entities=UNSEEN) if options.dedupe else settings

    def path(self, cell: Cell, out: Path, options: RunOptions) -> Path:
        """Where a cell's result lies in a folder."""
        record = self.tasks[cell.task].record
        settings = self.settings(cell, options)
        return path_for(out, self.models.scored[cell.model].name, record.id, settings, defaults=record.defaults)
