"""What a study of graphs compares: arms, each a MODEL and a head, and the pairs of them that say something."""

import re
from dataclasses import dataclass
from pathlib import Path

from builders.graphs import parse_graph
from gene_eval.core.errors import UnknownNameError
from gene_eval.core.heads.choices import head_name

__all__ = ["ARMS", "USUAL", "Arm", "Question", "arms", "questions"]

USUAL = ("linear", "mlp", "propagated", "gcn", "gat", "rewired", "random", "spectral", "vote", "nuisance")
"""What a study has unless it is told; `linear` is always there."""
ARMS = (*USUAL, "node2vec")
"""What may be asked for; walks take minutes on a large graph."""
STEPS = 2
REWIRED_SEED = 1
DRAWN = 5
"""Neighbours that attention draws for each node, which brings its time near that of a convolution."""


@dataclass(frozen=True)
class Arm:
    """One row of a study's table.

    Args:
        name: For readers.
        kind: Of `ARMS`.
        model: MODEL string.
        head: Head string, in the form that results have it.
        graph: Name of the graph; "" without.
    """

    name: str
    kind: str
    model: str
    head: str
    graph: str = ""


@dataclass(frozen=True)
class Question:
    """A pair of arms, by name, and what their difference says."""

    about: str
    one: str
    other: str


def arms(model: str, graphs: list[str], *, wanted: tuple[str, ...] = USUAL, options: str = "") -> list[Arm]:
    """Every arm of a study.

    Args:
        model: MODEL string of the vectors.
        graphs: Names of graphs.
        wanted: Kinds to have.
        options: Of the heads gcn and gat, such as "lr=0.01,patience=20".

    Raises:
        UnknownNameError: There is no such kind, or no such option of a head.
    """
    if strange := [kind for kind in wanted if kind not in ARMS]:
        raise UnknownNameError(strange[0], kind="arm", known=ARMS)
    found = [
        Arm("linear, plain vectors", "linear", model, "linear"),
        Arm("MLP, plain vectors", "mlp", model, "mlp"),
        *(Arm(f"{kind}, no model", "nuisance", f"nuisance:{kind}", "linear") for kind in ("publications", "degree")),
    ]
    for graph in graphs:
        more = f",{options}" if options else ""
        shown = _shown(graph)
        gcn, gat = head_name(f"gcn:graph={graph}{more}"), head_name(f"gat:graph={graph},neighbours={DRAWN}{more}")
        rewired = head_name(f"gcn:graph={graph}:rewired={REWIRED_SEED}{more}")
        found += [
            Arm(
                f"linear, propagated on {shown}",
                "propagated",
                f"propagate:graph={graph},steps={STEPS},model={model}",
                "linear",
                graph,
            ),
            Arm(f"GCN on {shown}", "gcn", model, gcn, graph),
            Arm(f"GAT on {shown}", "gat", model, gat, graph),
            Arm(f"GCN on {shown}, rewired", "rewired", model, rewired, graph),
            Arm(f"GCN on {shown}, random vectors", "random", "random", gcn, graph),
            Arm(f"linear, eigenvectors of {shown}, no model", "spectral", f"spectral:graph={graph}", "linear", graph),
            Arm(f"linear, node2vec of {shown}, no model", "node2vec", f"node2vec:graph={graph}", "linear", graph),
        ]
        # In the Gene Ontology alone no gene has a gene as its neighbour.
        if any(part.name != "go" for part in parse_graph(graph)):
            vote = head_name(f"vote:graph={graph}")
            found.append(Arm(f"neighbours' labels on {shown}, no model", "vote", model, vote, graph))
    return [arm for arm in found if arm.kind == "linear" or arm.kind in wanted]


def questions(found: list[Arm]) -> list[Question]:
    """The pairs to test, of the arms that there are."""
    asked = []
    named = {(arm.kind, arm.graph): arm.name for arm in found}
    if ("mlp", "") in named:
        asked.append(Question("a deeper head, without a graph", named["mlp", ""], named["linear", ""]))
    for graph in dict.fromkeys(arm.graph for arm in found if arm.graph):
        pairs = (
            ("the graph, without parameters", ("propagated", graph), ("linear", "")),
            ("graph and network against plain linear", ("gcn", graph), ("linear", "")),
            ("the graph, to a network", ("gcn", graph), ("mlp", "")),
            ("the network, given the graph", ("gcn", graph), ("propagated", graph)),
            ("which edges, not how many", ("gcn", graph), ("rewired", graph)),
            ("the model's vectors, given the graph", ("gcn", graph), ("random", graph)),
            ("attention against convolution", ("gat", graph), ("gcn", graph)),
        )
        asked += [
            Question(f"{about} ({_shown(graph)})", named[one], named[two])
            for about, one, two in pairs
            if one in named and two in named
        ]
    return asked


def _shown(graph: str) -> str:
    """The graph for a reader: the file of terms that it is without has a long path.

    >>> _shown("string+go:without=study/leaks/genen_solubility.txt")
    'string+go without genen_solubility.txt'
    """
    return re.sub(r":without=([^+:]*)", lambda found: f" without {Path(found[1]).name}", graph)
