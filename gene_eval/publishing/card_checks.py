"""Whether a Hub card's metadata can be read, and whether the Hub would take it."""

import re
from typing import Any

import yaml
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results

from gene_eval.errors import CardError
from gene_eval.text import printable

__all__ = ["HEAD", "INDEX", "check_accepted", "read_metadata"]

INDEX = "model-index"
MAX_DEPTH, MAX_VALUES = 50, 100_000
# The opening line, the metadata, and the line that closes it.
HEAD = re.compile(r"\A(\ufeff?\s*---[ \t\r]*\n)(.*?)(^---[ \t\r]*$)", re.DOTALL | re.MULTILINE)


def read_metadata(metadata: str) -> dict[str, Any]:
    """The keys and values of a card's YAML; none for an empty text.

    Raises:
        CardError: It is not valid YAML, or something other than keys and values.
    """
    try:
        loader = yaml.SafeLoader(metadata)
        node = loader.get_single_node()
        _check_size(node)
        content = None if node is None else loader.construct_document(node)
    except (ValueError, RecursionError) as error:
        # Raised for what YAML takes for a date or a number and Python does not, and for thousands of brackets.
        reason = printable(str(error)) if isinstance(error, ValueError) else "nested too deeply"
        message = f"its metadata cannot be read ({reason}); fix it"
        raise CardError(message) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark else ""
        message = f"its metadata is not valid YAML{where} ({getattr(error, 'problem', None) or 'unreadable'}); fix it"
        raise CardError(message) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        message = f"its metadata is a {type(content).__name__}, expected keys and values"
        raise CardError(message)
    return content


def _check_size(root: yaml.Node | None) -> None:
    """Refuse metadata that is small only as text: ten lines of aliases to aliases stand for a billion values.

    Raises:
        ValueError: It contains itself, is nested too deeply, or has too many values once aliases are written out.
    """
    sizes: dict[int, int] = {}

    def size(node: yaml.Node, depth: int) -> int:
        if depth > MAX_DEPTH:
            message = f"nested over {MAX_DEPTH} levels, or an alias of what it is in"
            raise ValueError(message)
        if id(node) not in sizes:
            below = [node.value] if isinstance(node, yaml.ScalarNode) else node.value
            parts = [part for item in below for part in (item if isinstance(item, tuple) else (item,))]
            sizes[id(node)] = 1 + sum(size(part, depth + 1) for part in parts if isinstance(part, yaml.Node))
        return sizes[id(node)]

    if root is not None and (values := size(root, 0)) > MAX_VALUES:
        message = f"{values:,} values with its aliases written out, at most {MAX_VALUES:,} are read"
        raise ValueError(message)


def check_accepted(card: str) -> None:
    """Refuse a card whose metadata the Hub would not accept, as judged by its own library.

    Raises:
        CardError: The message names the entry.
    """
    head = HEAD.match(card.replace("\r\n", "\n"))
    if head is None:
        return
    content = read_metadata(head[2])
    for key, value in content.items():
        if isinstance(value, list) and None in value:
            message = f"its {printable(str(key))} holds null, which the Hub does not accept; remove that entry"
            raise CardError(message)
    try:
        ModelCard(f"---\n{head[2]}\n---\n")
    except Exception as error:  # noqa: BLE001 - whatever the library raises, it is about the card
        reason = _faulty_entry(content.get(INDEX)) or printable(str(error).partition(" Pass `")[0])
        message = f"the Hub does not accept its metadata: {reason}; fix it"
        raise CardError(message) from error


def _faulty_entry(index: object) -> str:
    """Which entry of a `model-index` the library cannot read, and what it lacks; empty if it can read all of them."""
    first = index[0] if isinstance(index, list) and index and isinstance(index[0], dict) else {}
    results = first.get("results")
    for number, entry in enumerate(results if isinstance(results, list) else [], start=1):
        try:
            model_index_to_eval_results([{"name": "model", "results": [entry]}])
        except Exception as error:  # noqa: BLE001 - as above
            lacks = f"has no {error}" if isinstance(error, KeyError) else f"cannot be read ({printable(str(error))})"
            return f"entry {number} of {INDEX} {lacks}"
    return ""
