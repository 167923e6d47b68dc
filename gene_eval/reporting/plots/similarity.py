"""Which models, and which tasks, have alike scores: cosine similarities, clustered (the paper's Figures S10, S11)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from gene_eval.analysis.groups import OVERALL
from gene_eval.analysis.tables import Table
from gene_eval.reporting.plots.layout import (
    MARGIN,
    SLANTED,
    UPRIGHT,
    Array,
    Page,
    Scale,
    colour_bar,
    heat,
    label_room,
    names,
    row_labels,
    text_width,
    top_labels,
)
from gene_eval.text import count

__all__ = ["model_similarity", "similarities", "task_similarity"]

FEWEST = 3
# With fewer, the similarity of tasks is mostly the chance of which models are there.
FEWEST_MODELS = 8
# Cells with and without a number in them.
WIDE, NARROW = 0.36, 0.17
MOST_NUMBERS = 25


def similarities(vectors: Array) -> Array:
    """1 - cosine distance of every two rows, rescaled so that the least alike pair has 0 and equal ones 1.

    >>> similarities(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])).round(3).tolist()
    [[1.0, 0.0, 0.707], [0.0, 1.0, 0.707], [0.707, 0.707, 1.0]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(lengths > 0, lengths, 1)
    cosines = np.clip(units @ units.T, -1, 1)
    np.fill_diagonal(cosines, 1)
    spread = 1 - cosines.min()
    # Rounding keeps the order of leaves the same on every machine.
    rescaled: Array = np.round(1 - (1 - cosines) / spread, 9) if spread > 1e-12 else np.ones_like(cosines)
    return rescaled


def model_similarity(table: Table) -> Figure | str:
    """Models by their vectors of ROC-AUC over tasks, or why there are too few."""
    models, tasks, scores = _scores(table)
    if len(models) < FEWEST:
        return f"it needs {FEWEST} models with every ROC-AUC task, there are {len(models)}"
    shown = names(table)
    title = f"Similarity of models by their ROC-AUC over {count(len(tasks), 'task')}"
    return _clustered(title, scores, [shown[model] for model in models], angle=SLANTED)


def task_similarity(table: Table) -> Figure | str:
    """Tasks by their vectors of ROC-AUC over models, or why there are too few."""
    models, tasks, scores = _scores(table)
    if len(models) < FEWEST_MODELS or len(tasks) < FEWEST:
        return (
            f"it needs {FEWEST_MODELS} models with every ROC-AUC task, of {FEWEST} tasks or more; "
            f"there are {count(len(models), 'model')} and {count(len(tasks), 'task')}"
        )
    return _clustered(f"Similarity of tasks by the ROC-AUC of {len(models)} models", scores.T, tasks, angle=UPRIGHT)


def _scores(table: Table) -> tuple[list[str], list[str], Array]:
    """Models that have every ROC-AUC task, these tasks, and (models, tasks) scores."""
    tasks = list(table.groups.get(OVERALL, ()))
    models = [model for model in table.models if tasks and (model, OVERALL) in table.means]
    scores = [[table.cells[model, task].mean for task in tasks] for model in models]
    return models, tasks, np.array(scores, dtype=np.float64)


def _clustered(title: str, vectors: Array, labels: Sequence[str], *, angle: int) -> Figure:
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    similarity = similarities(vectors)
    links = hierarchy.linkage(squareform(1 - similarity, checks=False), "average", optimal_ordering=True)
    tree = hierarchy.dendrogram(links, no_plot=True)
    order = tree["leaves"]
    labels = [labels[i] for i in order]
    has_numbers = len(labels) <= MOST_NUMBERS
    size = (WIDE if has_numbers else NARROW) * len(labels)
    scale = Scale("1 - cosine distance, rescaled", "viridis", 0.0, 1.0)
    left = MARGIN + max(text_width(labels), text_width([scale.label]), 1.2) + 0.2
    above, beside = label_room(labels, angle=angle)
    top = 0.4 + max(above, 0.5)
    branches = 0.8
    page = Page(max(left + size + max(branches + 0.2, beside), 4.5), top + size + MARGIN)
    page.text(MARGIN, 0.12, title, fontsize=10)
    colour_bar(page, MARGIN + 0.1, top - 0.55, 1.2, scale)
    axes = page.axes(left, top, size, size)
    values = similarity[np.ix_(order, order)]
    texts = [[f"{value:.2f}" for value in row] for row in values] if has_numbers else None
    heat(axes, values, scale, texts=texts)
    row_labels(axes, labels)
    top_labels(axes, labels, angle=angle)
    # scipy puts leaves at 5, 15, 25, ...
    lines = [
        list(zip(d, (i / 10 for i in at), strict=True)) for at, d in zip(tree["icoord"], tree["dcoord"], strict=True)
    ]
    side = page.axes(left + size + 0.05, top, branches, size)
    side.add_collection(LineCollection(lines, colors="#777777", linewidths=0.8))
    side.set_xlim(0, 1.03 * max(1e-9, *(x for line in lines for x, _ in line)))
    side.set_ylim(len(labels), 0)
    side.set_axis_off()
    return page.figure
