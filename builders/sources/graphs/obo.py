"""The terms of an ontology in OBO form: names, definitions, and which term stands in what relation to which."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import SourceFormatError
from builders.readers.archives import read_bytes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ontology", "read_obo"]

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Ontology:
    """Terms in use, and relations between them.

    Args:
        terms: `term`, `name`, `namespace`, `definition`, sorted by term.
        relations: `source` (the narrower term), `target`, `relation`; each once, sorted.
        replaced: Secondary id -> the term that it became.
        n_obsolete: Terms that are no longer in use, which are left out.
    """

    terms: pd.DataFrame
    relations: pd.DataFrame
    replaced: dict[str, str]
    n_obsolete: int


def read_obo(path: Path) -> Ontology:
    """Parse an ontology by obonet.

    Raises:
        SourceFileError: The file cannot be unpacked or is not UTF-8.
        SourceFormatError: It is no OBO file, a relation names a term that the file lacks, or is_a and part_of make a
            cycle.
    """
    import obonet
    import pandas as pd

    text = read_bytes(path).decode("utf-8", errors="strict")
    try:
        graph = obonet.read_obo(io.StringIO(text), ignore_obsolete=False)
    except (ValueError, KeyError, AssertionError) as error:
        message = f"{path}: not an ontology in OBO form ({' '.join(str(error).split())[:120]})"
        raise SourceFormatError(message) from error
    rows, n_obsolete = [], 0
    edges: set[tuple[str, str, str]] = set()
    replaced: dict[str, str] = {}
    for term, about in graph.nodes(data=True):
        if about.get("is_obsolete") == "true":
            n_obsolete += 1
            continue
        if "name" not in about:
            first = next((one for one, other in graph.in_edges(term)), "some term")
            message = f"{path}: {first} refers to {term}, which the file lacks; take the whole ontology"
            raise SourceFormatError(message)
        quoted = _QUOTED.match(about.get("def", ""))
        definition = quoted[1].replace('\\"', '"') if quoted else ""
        rows.append((term, about["name"], about.get("namespace", ""), definition))
        replaced |= dict.fromkeys(about.get("alt_id", ()), term)
        edges |= {(term, target, relation) for _, target, relation in graph.out_edges(term, keys=True)}
    relations = sorted(edges)
    _refuse_cycles(path, ((one, other) for one, other, kind in relations if kind in ("is_a", "part_of")))
    return Ontology(
        terms=pd.DataFrame(sorted(rows), columns=["term", "name", "namespace", "definition"]),
        relations=pd.DataFrame(relations, columns=["source", "target", "relation"]),
        replaced=replaced,
        n_obsolete=n_obsolete,
    )


def _refuse_cycles(path: Path, edges: Iterable[tuple[str, str]]) -> None:
    parents: dict[str, list[str]] = {}
    n_children: dict[str, int] = {}
    for child, parent in edges:
        parents.setdefault(child, []).append(parent)
        n_children[parent] = n_children.get(parent, 0) + 1
        n_children.setdefault(child, 0)
    # Leaves are taken away until none is left; what stays is in a cycle, or above one.
    ready = [term for term, count in n_children.items() if count == 0]
    while ready:
        term = ready.pop()
        del n_children[term]
        for parent in parents.get(term, ()):
            n_children[parent] -= 1
            if n_children[parent] == 0:
                ready.append(parent)
    if n_children:
        message = (
            f"{path}: is_a and part_of make a cycle through {min(n_children)}; expected an ontology without cycles"
        )
        raise SourceFormatError(message)
