"""Graphs by name and options, `string:score=900+go:iea=no`: which edges of the built tables are taken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders.catalog import load
from builders.errors import MissingFileError, TaskDataError, UnknownTaskError
from builders.raw_files import RawFiles
from builders.text import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GRAPHS", "TERM", "Edges", "GraphPart", "is_term", "parse_graph", "read_graph"]

GRAPHS = {"string": "graph_string", "huri": "graph_huri", "biogrid": "graph_biogrid", "go": "graph_go"}
"""Name -> config of the table of edges."""
TERM = "GO:"
CHANNELS = ("neighborhood", "fusion", "cooccurrence", "coexpression", "experiments", "database", "textmining")
PRIOR = 0.041
"""Chance that two proteins of STRING are associated, which every channel's score contains."""


def is_term(node: str) -> bool:
    """Whether a node is a term of the ontology rather than a gene.

    >>> is_term("GO:0005634"), is_term("GOLGA2")
    (True, False)
    """
    return node.startswith(TERM)


@dataclass(frozen=True)
class GraphPart:
    """One source of edges and its options, as read by `parse_graph`."""

    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of a graph, without direction, each once.

    Args:
        name: The graph as it was asked for.
        table: `source`, `target`, `weight`, `relation`.
        sha256: Of names and weights.
        rewired: Seed by which the caller is asked to rewire them; None leaves them as they are.
    """

    name: str
    table: pd.DataFrame
    sha256: str
    rewired: int | None = None


def parse_graph(text: str) -> list[GraphPart]:
    """Read `NAME[:option=value...][+NAME...]`; lists of values are joined by "/".

    Options of `string`: `score`, the least combined score, 0 to 1000; `channels`, those that the score is made of;
    `textmining=no`, all channels but that. Of `go`: `iea=no` leaves out annotations that only software made;
    `relations`, those between terms; `without`, a file of terms to leave out, one a line. Of all: `rewired`, a seed by
    which ends of edges are swapped, degrees kept.

    Raises:
        UnknownTaskError: There is no such graph, option or channel.
        TaskDataError: A value is not of the option's kind.

    >>> parse_graph("string:score=900+go:iea=no")[1]
    GraphPart(name='go', options={'iea': False})
    """
    return [_part(each.strip(), text) for each in text.split("+")]


def _part(text: str, whole: str) -> GraphPart:
    name, *given = text.split(":")
    if name not in GRAPHS:
        message = f"unknown graph {name!r} in {whole!r}{did_you_mean(name, GRAPHS)}; expected {', '.join(GRAPHS)}"
        raise UnknownTaskError(message)
    known: dict[str, Callable[[str], Any]] = {**_OPTIONS.get(name, {}), "rewired": _seed}
    options: dict[str, Any] = {}
    for each in given:
        option, equals, value = each.partition("=")
        if option not in known or not equals:
            message = f"graph {name} has no option {each!r}; expected {', '.join(f'{key}=...' for key in known)}"
            raise UnknownTaskError(message)
        try:
            options[option] = known[option](value)
        except ValueError as error:
            message = f"graph {name}: {option} is {value!r}, expected {error}"
            raise TaskDataError(message) from error
    if "channels" in options and "textmining" in options:
        message = "graph string: channels and textmining were both given; name the channels, or leave out text mining"
        raise TaskDataError(message)
    return GraphPart(name, options)


def _seed(text: str) -> int:
    if not text.isdigit():
        expected = "a whole number, 0 or above"
        raise ValueError(expected)
    return int(text)


def _score(text: str) -> float:
    if not text.isdigit() or int(text) > 1000:
        expected = "a whole number from 0 to 1000"
        raise ValueError(expected)
    return int(text) / 1000


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        expected = "yes or no"
        raise ValueError(expected)
    return text == "yes"


def _channels(text: str) -> tuple[str, ...]:
    names = tuple(text.split("/"))
    if any(name not in CHANNELS for name in names):
        expected = f"some of {', '.join(CHANNELS)}, with / between"
        raise ValueError(expected)
    return names


def _names(text: str) -> tuple[str, ...]:
    if not all(text.split("/")):
        expected = "names with / between, such as is_a/part_of"
        raise ValueError(expected)
    return tuple(text.split("/"))


_OPTIONS: dict[str, dict[str, Callable[[str], Any]]] = {
    "string": {"score": _score, "channels": _channels, "textmining": _yes_or_no},
    "go": {"iea": _yes_or_no, "relations": _names, "without": str},
}


def read_graph(text: str, raw: RawFiles) -> Edges:
    """The edges that a graph's name and options stand for; the tables are built if need be.

    Raises:
        BuilderError: There is no such graph or option, a table cannot be built, or no edge is left.
    """
    import pandas as pd

    parts = parse_graph(text)
    tables = [_FILTERS[part.name](load(GRAPHS[part.name], raw).dataset.to_pandas(), part.options) for part in parts]
    table = pd.concat(tables, ignore_index=True)[["source", "target", "weight", "relation"]]
    # Two terms may be in several relations, and a pair of genes in several graphs.
    turned = table["source"] > table["target"]
    table.loc[turned, ["source", "target"]] = table.loc[turned, ["target", "source"]].to_numpy()
    table = table.sort_values(["source", "target", "weight", "relation"], ascending=[True, True, False, True])
    table = table.drop_duplicates(["source", "target"], ignore_index=True)
    table = table[table["source"] != table["target"]]
    if table.empty:
        message = f"graph {text} has no edge left; loosen its options"
        raise TaskDataError(message)
    lines = (table["source"] + "\t" + table["target"] + "\t" + table["weight"].round(6).astype(str)).str.cat(sep="\n")
    seeds = [part.options["rewired"] for part in parts if "rewired" in part.options]
    digest = hashlib.sha256(f"{seeds}\n{lines}".encode()).hexdigest()
    return Edges(text, table, digest, seeds[0] if seeds else None)


def _of_string(table: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    there = [name for name in CHANNELS if name in table and table[name].notna().any()]
    chosen = options.get("channels")
    if chosen is None and options.get("textmining") is False and "textmining" in there:
        chosen = [name for name in there if name != "textmining"]
    if chosen is not None:
        if lacking := [name for name in chosen if name not in there]:
            message = f"graph string was built from a file without the channel {lacking[0]}; it has {', '.join(there)}"
            raise TaskDataError(message)
        table = table.assign(weight=combined(table[list(chosen)]))
    least: float = options.get("score", 0.0)
    return table[(table["weight"] >= least) & (table["weight"] > 0)]


def combined(scores: pd.DataFrame) -> pd.Series:
    """Combined score of channels, as in Szklarczyk et al. 2023: 1 - (1 - p) times the product of (1 - s) / (1 - p).

    The prior p is taken out of every channel and put back once. Where no channel says anything it is 0.
    """
    left = (1 - scores.clip(lower=PRIOR)) / (1 - PRIOR)
    total: pd.Series = (1 - (1 - PRIOR) * left.prod(axis=1)).where((scores > 0).any(axis=1), 0.0)
    return total


def _of_go(table: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    is_of_gene = ~table["source"].str.startswith(TERM)
    keep = ~table["source"].isna()
    if options.get("iea") is False:
        keep &= ~is_of_gene | (table["evidence"] != "IEA")
    if wanted := options.get("relations"):
        known = sorted(set(table["relation"][~is_of_gene]))
        if strange := [name for name in wanted if name not in known]:
            message = f"graph go: no relation {strange[0]!r} between terms; it has {', '.join(known)}"
            raise TaskDataError(message)
        keep &= is_of_gene | table["relation"].isin(wanted)
    if path := options.get("without"):
        left_out = read_terms(Path(path))
        keep &= ~table["source"].isin(left_out) & ~table["target"].isin(left_out)
    return table[keep]


def read_terms(path: Path) -> frozenset[str]:
    """Terms of a file: the first word of each line that is not a comment.

    Raises:
        MissingFileError: There is no such file.
        TaskDataError: A line does not begin with a term.
    """
    if not path.is_file():
        message = f"no file {path}; expected one with the terms to leave out, one a line"
        raise MissingFileError(message)
    lines = path.read_text(encoding="utf-8").splitlines()
    words = [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]
    if strange := [word for word in words if not is_term(word)]:
        message = f"{path}: {strange[0]!r} is not a term; expected lines such as GO:0005886"
        raise TaskDataError(message)
    return frozenset(words)


def _whole(table: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    return table


_FILTERS: dict[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "string": _of_string,
    "huri": _whole,
    "biogrid": _whole,
    "go": _of_go,
}
