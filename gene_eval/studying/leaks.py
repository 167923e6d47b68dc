"""Terms of the Gene Ontology whose annotations state a task's label, so that a graph of annotations hands it over."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse

from builders import RawFiles, load
from builders.graphs import is_term, read_graph
from gene_eval.errors import GeneBenchError
from gene_eval.files import atomic_write
from gene_eval.running.tasks import TaskArrays

__all__ = ["Leak", "Leaks", "find_leaks"]

LEAST_AUC = 0.6
FEWEST = 5
"""Training genes that a term is on: the AUC of fewer is chance."""
_LOCATION, _COMPONENT = "localization", "cellular_component"


@dataclass(frozen=True)
class Leak:
    """One term: its largest AUC on the training genes of a split, and why it is listed: name, source, auc."""

    term: str
    name: str
    auc: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Leaks:
    """Terms of a task, the largest AUC first, and the file that lists them, for `go:without=FILE`."""

    task: str
    terms: list[Leak]
    path: Path

    def count(self, reason: str) -> int:
        """Terms that are listed for a reason, among others."""
        return sum(reason in each.reasons for each in self.terms)


def find_leaks(task: TaskArrays, raw: RawFiles, path: Path, *, least: float = LEAST_AUC) -> Leaks:
    """List the terms, in a file too.

    By name: a word of a label stands in the term's name. By source: for labels of where a protein is, all terms for
    cellular components, since UniProt's locations feed both. By AUC: of the annotation alone, on the training genes of
    any split, at least `least` for any label, in either direction; labels of test genes say nothing of their own split.

    Args:
        task: A task about genes with classes or labels.
        raw: Raw files, for annotations and terms.
        path: File to write.
        least: See above.

    Raises:
        GeneBenchError: A task about numbers, or not about genes.
    """
    if task.record.target == "regression" or "symbol" not in task.entities:
        message = f"{task.record.id}: terms that state a label are found for classes of genes only"
        raise GeneBenchError(message)
    about = load("go_terms", raw).dataset.to_pandas().set_index("term")
    terms, matrix = _annotations(task.entities["symbol"], raw)
    aucs = _largest_aucs(matrix, task)
    words = _words(task.record.label_names)
    found = []
    for term, auc in zip(terms, aucs.tolist(), strict=True):
        name, namespace = about.at[term, "name"], about.at[term, "namespace"]
        reasons = (
            *(["name"] if any(word in name.casefold() for word in words) else []),
            *(["source"] if task.record.family == _LOCATION and namespace == _COMPONENT else []),
            *(["auc"] if auc >= least else []),
        )
        if reasons:
            found.append(Leak(term, name, auc, reasons))
    found.sort(key=lambda each: (-each.auc, each.term))
    lines = [f"{each.term}\t{each.auc:.3f}\t{','.join(each.reasons)}\t{each.name}" for each in found]
    atomic_write(path, "\n".join(["# term, AUC of its annotations alone, listed by, name", *lines]) + "\n")
    return Leaks(task.record.id, found, path)


def _annotations(genes: Sequence[str], raw: RawFiles) -> tuple[list[str], "scipy.sparse.csc_array"]:
    """Terms, and (n, terms) which genes they are on."""
    table = raw.once(("graph", "go"), lambda: read_graph("go", raw)).table
    # Ends stand in alphabetical order, so that either may be the term.
    source_is_term, target_is_term = (table[end].map(is_term) for end in ("source", "target"))
    edges = table[source_is_term != target_is_term]
    is_first = edges["source"].map(is_term)
    names, symbols = edges["source"].where(is_first, edges["target"]), edges["target"].where(is_first, edges["source"])
    row = {symbol: i for i, symbol in enumerate(genes)}
    known = symbols.isin(row)
    terms = sorted(set(names[known]))
    column = {term: i for i, term in enumerate(terms)}
    places = (symbols[known].map(row).to_numpy(), names[known].map(column).to_numpy())
    ones = np.ones(len(places[0]))
    return terms, scipy.sparse.coo_array((ones, places), shape=(len(row), len(terms))).tocsc()


def _largest_aucs(matrix: "scipy.sparse.csc_array", task: TaskArrays) -> npt.NDArray[np.float64]:
    """(terms,) AUC of one mark against none, 1/2 + |share of positives with it - share of negatives with it| / 2."""
    y = task.y
    labels = y.reshape(len(y), -1) if task.record.target != "multiclass" else np.eye(int(y.max()) + 1)[y]
    splits = task.splits(np.arange(len(y)))
    best = np.full(matrix.shape[1], 0.5)
    rows = matrix.tocsr()
    for split in range(len(splits)):
        train = np.flatnonzero(splits.train_rows(split))
        marks, truth = rows[train], labels[train].astype(float)
        positives = truth.sum(axis=0)
        with_mark = np.asarray(marks.T @ truth)
        total = np.asarray(marks.sum(axis=0)).reshape(-1, 1)
        # A label that is constant here has no AUC.
        fine = (positives > 0) & (positives < len(train))
        shares = with_mark / np.maximum(positives, 1) - (total - with_mark) / np.maximum(len(train) - positives, 1)
        aucs = np.where(fine, 0.5 + np.abs(shares) / 2, 0.5).max(axis=1)
        best = np.maximum(best, np.where(total[:, 0] >= FEWEST, aucs, 0.5))
    return best


def _words(labels: Sequence[str]) -> list[str]:
    """Stems of the words of label names that are long enough to mean something."""
    words = {word.casefold() for label in labels for word in re.findall(r"[A-Za-z]{5,}", label)}
    return sorted({re.sub(r"(ity|ible|us|e|ic)$", "", word) for word in words})
