"""The heads "gcn", "gat" and "vote": labels read off a gene's vector and those of its neighbours in a graph.

All labels of a task are outputs of one network, which is trained for each split on the labels of the training rows; a
seeded part of them, stratified by class, says when to stop (`core.graph.networks`). "vote" has no vectors: a row's
value is the mean training label of its neighbours.

Transductive, the default: edges of test rows are there in training, their labels are not. With `inductive=yes` the
network is trained on the graph without the edges of test rows, which are there again when it is scored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.engines import HeldOut, Params
from gene_eval.core.errors import ProbeError, UnknownNameError
from gene_eval.core.graph.nodes import Graph
from gene_eval.core.heads.parts import empty_values, is_constant, is_scaled
from gene_eval.core.pairs import PairedRows
from gene_eval.core.splits import Splits
from gene_eval.core.table import TableRows, Vectors, as_array

__all__ = ["GraphHead", "held_out", "parse_head"]


@dataclass(frozen=True)
class GraphHead:
    """A head of a graph; defaults are those of Genen's networks (BMC Bioinformatics; notebooks of 2024).

    Attributes:
        kind: One of `GRAPH_HEADS`.
        graph: Name of the graph, which the caller hands over; see `gene_eval.core.graph.nodes`.
        layers: Graph convolutions, the output among them; of "gat", always two.
        hidden: Numbers between two convolutions; of "gat", for each attention head.
        heads: Attention heads of "gat".
        dropout: Share of numbers set to zero before every convolution but the first; of "gat", before each.
        lr: Step of Adam; divided by 5 after 50 epochs without a lower training loss.
        decay: L2 penalty of Adam.
        epochs: At most.
        patience: Epochs without a lower loss on the held part of training rows, after which to stop.
        held: Share of training rows held back for that.
        inductive: Whether training does without the edges of test rows.
        weighted: Whether edges count by their weight; 1 without.
        neighbours: Of "gat", at most so many neighbours of each node, drawn anew for each epoch; 0 takes all.
    """

    kind: str
    graph: str = "string"
    layers: int = 3
    hidden: int = 64
    heads: int = 4
    dropout: float = 0.5
    lr: float = 1e-3
    decay: float = 1e-3
    epochs: int = 1000
    patience: int = 30
    held: float = 0.15
    inductive: bool = False
    weighted: bool = False
    neighbours: int = 0

    def __str__(self) -> str:
        """What results call it: the kind, and the options that are not at their default.

        >>> str(GraphHead("gcn", graph="go", inductive=True))
        'gcn:graph=go,inductive=yes'
        """
        usual = _default(self.kind)
        changed = [
            f"{each.name}={_shown(getattr(self, each.name))}"
            for each in fields(self)
            if getattr(self, each.name) != getattr(usual, each.name)
        ]
        return f"{self.kind}:{','.join(changed)}" if changed else self.kind


def _default(kind: str) -> GraphHead:
    return GraphHead(kind, dropout=0.6) if kind == "gat" else GraphHead(kind)


def _shown(value: Any) -> str:
    return (
        ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value
    )


def parse_head(text: str) -> GraphHead:
    """Read `gcn`, `gat:graph=go,inductive=yes` and the like.

    Raises:
        UnknownNameError: There is no such option.
        ProbeError: A value is not of the option's kind.

    >>> parse_head("gcn:graph=string+go,lr=0.01").lr
    0.01
    """
    kind, _, rest = text.partition(":")
    usual = _default(kind)
    known = [each.name for each in fields(usual) if each.name not in _not_of(kind)]
    given: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        name, _, value = part.partition("=")
        if name not in known:
            raise UnknownNameError(name, kind=f"option of head {kind}", known=known)
        given[name] = _read(kind, name, value, type(getattr(usual, name)))
    return GraphHead(kind, **{"dropout": usual.dropout, **given})


def _not_of(kind: str) -> tuple[str, ...]:
    every = tuple(each.name for each in fields(GraphHead))
    return {
        "gcn": ("kind", "heads", "neighbours"),
        "gat": ("kind", "layers", "weighted"),
        "vote": tuple(name for name in every if name not in ("graph", "weighted")),
    }[kind]


_AT_LEAST: Mapping[str, float] = {"layers": 2, "hidden": 1, "heads": 1, "epochs": 1, "patience": 1, "neighbours": 0}
_BELOW_ONE: Final = ("dropout", "held")


def _read(kind: str, name: str, value: str, wanted: type) -> Any:
    readers: dict[type, tuple[Callable[[str], Any], str]] = {
        bool: ({"yes": True, "no": False}.__getitem__, "yes or no"),
        int: (int, f"a whole number, {_AT_LEAST.get(name, 0):g} or above"),
        float: (float, "a number from 0 to below 1" if name in _BELOW_ONE else "a number above 0"),
        str: (str, "a graph such as string, go or string+go"),
    }
    reader, expected = readers[wanted]
    try:
        read = reader(value)
    except (ValueError, KeyError):
        read = None
    if (
        read in (None, "")
        or (wanted is int and read < _AT_LEAST[name])
        or (wanted is float and not (0 <= read < 1 if name in _BELOW_ONE else 0 <= read < np.inf))
    ):
        msg = f"head {kind}: {name} is {value!r}, expected {expected}"
        raise ProbeError(msg)
    return read


def held_out(
    X: Vectors,
    y: npt.NDArray[Any],
    *,
    target: str,
    splits: Splits,
    params: Params,
    head: GraphHead,
    graph: Graph | None,
) -> HeldOut:
    """Train a network for each split; see `engines.Engine` for the arrays, and `graph.nodes` for the graph.

    Raises:
        ProbeError: No graph was handed over, none of the rows has an edge, or torch-geometric is not installed.
    """
    if graph is None:
        msg = f"head {head} needs a graph; gene-bench run hands it over, in Python give probe(..., graph=Graph(...))"
        raise ProbeError(msg)
    if isinstance(X, PairedRows):
        msg = f"head {head} is for tasks about genes; a pair of genes is not a node of a graph"
        raise ProbeError(msg)
    rows = (X.index if isinstance(X, TableRows) else np.arange(len(X))).astype(np.int64)
    vectors = X.table.vectors if isinstance(X, TableRows) else as_array(X)
    if graph.n_rows != len(vectors):
        msg = f"{graph.name} is over {graph.n_rows} rows, but there are {len(vectors)} vectors"
        raise ProbeError(msg)
    n_joined = int((np.diff(graph.adjacency.indptr)[rows] > 0).sum())
    if not n_joined:
        msg = f"graph {graph.name} has an edge of none of the {len(rows):,} rows of the task; take another graph"
        raise ProbeError(msg)
    values = empty_values(y, target)
    facts: dict[str, Any] = {"n_nodes": graph.n, "n_edges": graph.edges.shape[1], "n_joined": n_joined}
    facts["edges_of_test_rows"] = "left out in training" if head.inductive else "used"
    if head.kind == "vote":
        for split in range(len(splits)):
            test = splits.test_rows(split)
            values[test] = _vote(graph, rows, y, splits.train_rows(split), test, head)
        return HeldOut(values, params=facts)
    from gene_eval.core.graph.networks import Trainer

    nodes, scaled = graph.node_vectors(vectors), is_scaled(params)
    trainer = Trainer(head, graph, rows, nodes, device=params.device, scaled=scaled, memory=params.memory)
    varied = []
    for split in range(len(splits)):
        labels, test = y[splits.train_rows(split)], splits.test_rows(split)
        if is_constant(labels):
            values[test] = labels[0] if target == "regression" else 0.0
        else:
            varied.append(split)
    found = trainer.fit(y, splits, varied, target=target, seed=params.seed)
    for split, each in zip(varied, found, strict=True):
        test = splits.test_rows(split)
        values[np.ix_(test, each.classes) if target == "multiclass" else test] = each.values
    epochs = [each.epochs for each in found]
    at_limit = sum(count >= head.epochs for count in epochs)
    outcome = {"converged": at_limit == 0, "n_fits": len(epochs), "n_unconverged": at_limit}
    return HeldOut(values, params={**facts, "epochs": epochs}, convergence=outcome)


def _vote(
    graph: Graph,
    rows: npt.NDArray[np.int64],
    y: npt.NDArray[Any],
    train: npt.NDArray[np.bool_],
    test: npt.NDArray[np.bool_],
    head: GraphHead,
) -> npt.NDArray[np.float64]:
    """Mean training label of the neighbours; the mean of all training rows counts as one more of them."""
    adjacency = graph.adjacency if head.weighted else graph.adjacency.sign()
    block = adjacency[rows[test]][:, rows[train]]
    labels = np.eye(int(y.max()) + 1)[y] if y.dtype == np.int64 else y.astype(np.float64).reshape(len(y), -1)
    prior = labels[train].mean(axis=0)
    votes = (block @ labels[train] + prior) / (np.asarray(block.sum(axis=1)).reshape(-1, 1) + 1)
    if y.dtype == bool:
        votes = votes - prior
    return np.asarray(votes if y.dtype == np.int64 or y.ndim == 2 else votes[:, 0])
