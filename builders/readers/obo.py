"""The Gene Ontology and its like in OBO format: terms, what stands above each, and subsets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from builders.errors import SourceFormatError
from builders.readers.archives import read_text

__all__ = ["Ontology", "Term", "read_obo"]


@dataclass
class Term:
    """A term that is not obsolete.

    Args:
        id: Such as "GO:0008150".
        name: Its name.
        namespace: For GO, the aspect.
        parents: (relation, id) of the terms directly above: "is_a", "part_of", "regulates" and others.
        subsets: Slims that it is in.
    """

    id: str
    name: str = ""
    namespace: str = ""
    parents: list[tuple[str, str]] = field(default_factory=list)
    subsets: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Ontology:
    """Terms by id, and the ids that were merged into others.

    Args:
        version: `data-version` of the file, or "".
        terms: Id -> term.
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
            higher = {parent for relation, parent in self.terms[stack.pop()].parents if relation in relations}
            new = (higher & self.terms.keys()) - seen
            stack += new
            seen |= new
        return frozenset(seen)


def read_obo(path: Path) -> Ontology:
    """Read the terms of an OBO file (format 1.2 or 1.4, plain or gzipped).

    Raises:
        SourceFileError: The file cannot be unpacked or is not UTF-8.
        SourceFormatError: It has no term, or a term without an id.
    """
    head, *stanzas = read_text(path).replace("\r\n", "\n").split("\n[")
    version = next((line.partition(": ")[2] for line in head.splitlines() if line.startswith("data-version: ")), "")
    terms: dict[str, Term] = {}
    merged: dict[str, str] = {}
    n_obsolete = 0
    for number, stanza in enumerate(stanzas, start=1):
        kind, *lines = stanza.splitlines()
        if kind.strip() != "Term]":
            continue
        tags = [line.partition(": ")[::2] for line in lines if ": " in line]
        found = dict(reversed(tags))
        if "id" not in found:
            message = f"{path}: term {number} has no id; expected '[Term]' and then 'id: ...', as in go.obo"
            raise SourceFormatError(message)
        if found.get("is_obsolete") == "true":
            n_obsolete += 1
            continue
        term = Term(found["id"], found.get("name", ""), found.get("namespace", ""))
        for tag, value in tags:
            # "! name of the term" is a comment, "{...}" a modifier.
            words = value.partition(" ! ")[0].partition(" {")[0].split()
            if tag == "is_a":
                term.parents.append((tag, words[0]))
            elif tag == "relationship" and len(words) > 1:
                term.parents.append((words[0], words[1]))
            elif tag == "subset":
                term.subsets.add(words[0])
            elif tag == "alt_id":
                merged[words[0]] = term.id
        terms[term.id] = term
    if not terms:
        message = f"{path}: no term; expected an OBO file, as http://purl.obolibrary.org/obo/go.obo"
        raise SourceFormatError(message)
    return Ontology(version, terms, merged, n_obsolete)
