"""Which layer of a model a task about sequences is scored on: chosen by its labels, inside its training part.

Layers are compared on the validation part; where there is none, on a fifth of the training part. At most `SAMPLE` rows
of either are taken, in the order of their identifiers, which are hashes. The vectors of each layer are
standardised, a logistic regression with C = 0.1 is fitted to the training rows, and the layer with the largest Matthews
coefficient is taken, the later one on a tie. The test part is not looked at.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.parts.fits import PART_NAMES
from gene_eval.core.parts.logistic import Rows, Standardised, fit_logistic, raw_values
from gene_eval.core.parts.score import confusion, hard_scores
from gene_eval.core.splits import default_folds
from gene_eval.running.tasks import TaskArrays

__all__ = ["SAMPLE", "select_layer"]

SAMPLE: Final = 2000
C: Final = 0.1
IntArray = npt.NDArray[np.int64]
Embed = Callable[[Any, Sequence[int]], npt.NDArray[np.float32]]


def select_layer(model: Any, task: TaskArrays, embed: Embed) -> tuple[Any, dict[str, Any]]:
    """Choose a layer.

    Args:
        model: With `layers` and `with_layer`, such as `dna:NAME,layer=select`.
        task: With parts.
        embed: Gives the (m, d) vectors that a model has for some rows of the task.

    Returns:
        The model read at the layer, and what a result records of the choice.
    """
    train, held, chosen_on = _rows(task)
    classes, number = np.unique(task.y[train], return_inverse=True)
    truth = np.searchsorted(classes, task.y[held])
    scores: dict[int, float] = {}
    for layer in model.layers():
        vectors = embed(model.with_layer(layer), [*train.tolist(), *held.tolist()])
        fitted, tested = Rows.of(vectors[: len(train)]), Rows.of(vectors[len(train) :])
        fit = fit_logistic(fitted, number, C=C, by=Standardised.by(fitted))
        (raw,) = raw_values(tested, [fit])
        called = (raw[:, 0] > 0).astype(np.int64) if raw.shape[1] == 1 else raw.argmax(axis=1)
        table = confusion(truth, called[None], n_classes=len(classes))
        scores[layer] = float(hard_scores(table)["mcc"][0])
    best = max(scores.values())
    layer = [each for each, score in scores.items() if score == best][-1]
    record = {
        "layer": layer,
        "layer_scores": {str(each): round(score, 4) for each, score in scores.items()},
        "layer_chosen_on": f"{chosen_on}, {len(held):,} rows",
    }
    return model.with_layer(layer), record


def _rows(task: TaskArrays) -> tuple[IntArray, IntArray, str]:
    """Rows to fit on, rows to compare layers on, and what the latter rows are."""
    codes, keys = task.folds[0], np.array(task.entities["sequence_id"])

    def sampled(rows: IntArray) -> IntArray:
        return rows[np.argsort(keys[rows], kind="stable")][:SAMPLE]

    train, validation = (np.flatnonzero(codes == PART_NAMES.index(name)) for name in ("train", "validation"))
    known = np.isin(task.y[validation], task.y[train])
    if known.any():
        return sampled(train), sampled(validation[known]), "validation"
    rows = train[np.argsort(keys[train], kind="stable")]
    is_held = default_folds(task.y[rows], target=task.record.target) == 0
    return rows[~is_held][:SAMPLE], rows[is_held][:SAMPLE], "a fifth of train"
