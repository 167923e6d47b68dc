"""The Gene Ontology and its like in OBO format: terms, definitions, what stands above each, and subsets."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.errors import SourceFormatError
from builders.readers.archives import read_text

__all__ = ["Ontology", "Term", "read_obo"]

# A term stands below, or is part of, another: what is true of it is true of that.
_UPWARDS = ("is_a", "part_of")
_EXAMPLE = "http://purl.obolibrary.org/obo/go.obo"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Term:
    """A term that is not obsolete.

    Args:
        id: Such as "GO:0008150".
        name: Its name.
        namespace: For GO, the aspect.
        definition: Without its references; "" without one.
        parents: (relation, id) of the terms directly above: "is_a", "part_of", "regulates" and others, sorted.
        subsets: Slims that it is in.
    """

    id: str
    name: str
    namespace: str
    definition: str
    parents: tuple[tuple[str, str], ...]
    subsets: frozenset[str]


@dataclass(frozen=True)
class Ontology:
    """Terms by id, and the ids that were merged into others.

    Args:
        version: `data-version` of the file, or "".
        terms: Id -> term, sorted by id.
        merged: Alternative id -> id.
        n_obsolete: Terms of the file that are obsolete.
    """

    version: str
    terms: Mapping[str, Term]
    merged: Mapping[str, str]
    n_obsolete: int

    def term(self, identifier: str) -> Term | None:
        """The term of an id or alternative id; None if there is none that is not obsolete."""
        return self.terms.get(self.merged.get(identifier, identifier))

    def above(self, identifier: str, relations: frozenset[str]) -> frozenset[str]:
        """Ids of a term and of all that are reached from it upwards by these relations."""
        seen, stack = {identifier}, [identifier]
        while stack:
            new = {parent for relation, parent in self.terms[stack.pop()].parents if relation in relations} - seen
            stack += new
            seen |= new
        return frozenset(seen)


def read_obo(path: Path) -> Ontology:
    """Read the terms of an OBO file (format 1.2 or 1.4, plain or gzipped) by obonet.

    Raises:
        SourceFileError: The file cannot be unpacked or is not UTF-8.
        SourceFormatError: It has no term, a term without an id, a relation to a term that it lacks, or a cycle of is_a
            and part_of.
    """
    graph = _parsed(path, read_text(path))
    terms: dict[str, Term] = {}
    merged: dict[str, str] = {}
    obsolete = {term for term, about in graph.nodes(data=True) if about.get("is_obsolete") == "true"}
    for term, about in sorted(graph.nodes(data=True)):
        if term in obsolete:
            continue
        if "name" not in about:
            first = next((one for one, other in graph.in_edges(term)), "some term")
            message = f"{path}: {first} refers to {term}, which the file lacks; take the whole ontology"
            raise SourceFormatError(message)
        above = {(kind, other) for _, other, kind in graph.out_edges(term, keys=True) if other not in obsolete}
        quoted = _QUOTED.match(about.get("def", ""))
        terms[term] = Term(
            term,
            about["name"],
            about.get("namespace", ""),
            quoted[1].replace('\\"', '"') if quoted else "",
            tuple(sorted(above)),
            frozenset(about.get("subset", ())),
        )
        merged |= dict.fromkeys(about.get("alt_id", ()), term)
    if not terms:
        message = f"{path}: no ontology in OBO form (no term); expected a file such as {_EXAMPLE}"
        raise SourceFormatError(message)
    if in_cycle := next(_in_cycles(terms), None):
        message = f"{path}: is_a and part_of make a cycle through {in_cycle}; expected an ontology without cycles"
        raise SourceFormatError(message)
    return Ontology(str(graph.graph.get("data-version", "")), terms, merged, len(obsolete))


def _parsed(path: Path, text: str) -> Any:
    import obonet

    for number, stanza in enumerate(re.split(r"^\[Term\]\s*$", text, flags=re.MULTILINE)[1:], start=1):
        if not re.search(r"^id: *\S", stanza.partition("\n[")[0], re.MULTILINE):
            message = f"{path}: term {number} has no id; expected '[Term]' and then 'id: ...', as in go.obo"
            raise SourceFormatError(message)
    try:
        return obonet.read_obo(io.StringIO(text), ignore_obsolete=False)
    except (ValueError, KeyError, AssertionError) as error:
        reason = " ".join(str(error).split())[:120]
        message = f"{path}: no ontology in OBO form ({reason}); expected a file such as {_EXAMPLE}"
        raise SourceFormatError(message) from error


def _in_cycles(terms: Mapping[str, Term]) -> Iterator[str]:
    """Terms in a cycle or above one, sorted."""
    parents = {term: [other for kind, other in each.parents if kind in _UPWARDS] for term, each in terms.items()}
    n_children = dict.fromkeys(terms, 0)
    for above in parents.values():
        for parent in above:
            n_children[parent] += 1
    # Leaves are taken away until none is left.
    ready = [term for term, count in n_children.items() if count == 0]
    while ready:
        term = ready.pop()
        del n_children[term]
        for parent in parents[term]:
            n_children[parent] -= 1
            if n_children[parent] == 0:
                ready.append(parent)
    yield from sorted(n_children)
