"""Names of the heads of a graph, apart from what fits them: to name a head must load nothing."""

from typing import Any, Final

__all__ = ["GRAPH_HEADS", "NETWORKS", "is_graph_head"]

GRAPH_HEADS: Final = ("gcn", "gat", "vote")
NETWORKS: Final = 2
"""Version of how networks are trained: results of another one are made again."""


def is_graph_head(head: Any) -> bool:
    """Whether it is a head of a graph, or names one.

    >>> is_graph_head("gcn:graph=go"), is_graph_head("mlp")
    (True, False)
    """
    kind = head if isinstance(head, str) else getattr(head, "kind", "")
    return isinstance(kind, str) and kind.partition(":")[0] in GRAPH_HEADS
