"""Adds results to a Hub card (YAML metadata, then Markdown) as text, so that every other line stays as it is."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from gene_eval.errors import CardError
from gene_eval.publishing.card_checks import HEAD, INDEX, read_metadata
from gene_eval.text import markdown

__all__ = ["BEGIN", "END", "SOURCE", "merge_card", "merge_section"]

BEGIN = "<!-- gene-bench:begin (written by gene-bench, edits between these marks are lost) -->"
END = "<!-- gene-bench:end -->"
SOURCE = "gene-bench"
_BEGIN = re.compile(r"^<!-- gene-bench:begin\b.*-->", re.MULTILINE)
_END = re.compile(r"^<!-- gene-bench:end\b.*-->", re.MULTILINE)
_OPENING = re.compile(r"\A\ufeff?\s*---[ \t\r]*(\n|\Z)")


def merge_card(existing: str | None, *, title: str, section: str, index: Sequence[Mapping[str, Any]]) -> str:
    r"""Return a card with a section of Markdown and entries of `model-index`, in place of those of an earlier call.

    Args:
        existing: The card so far; None makes a new one.
        title: Model id: heading of a new card, and name in a new `model-index`.
        section: Markdown.
        index: Entries of `results` in `model-index`; those of an earlier call are known by their source.

    Raises:
        CardError: The metadata is not valid YAML, or of a form that lines cannot be added to.

    >>> print(merge_card("---\nlicense: mit # ours\n---\n# M\n", title="M", section="New.\n", index=[{"task": 1}]))
    ---
    license: mit # ours
    model-index:
    - name: M
      results:
      - task: 1
    ---
    # M
    <BLANKLINE>
    <!-- gene-bench:begin (written by gene-bench, edits between these marks are lost) -->
    New.
    <!-- gene-bench:end -->
    <BLANKLINE>
    """
    text = f"# {markdown(title)}\n" if existing is None else existing
    newline = "\r\n" if 0 < text.count("\n") == text.count("\r\n") else "\n"
    text = text.replace(newline, "\n")
    head = HEAD.match(text)
    if head is None and _OPENING.match(text):
        message = "it opens with --- but no later line --- ends its metadata; add that line"
        raise CardError(message)
    opening, metadata, closing = head.groups() if head else ("---\n", "", "---")
    body = text[head.end() :] if head else "\n" + text
    if index or head:
        merged = _merge_index(metadata, title, list(index))
        body = f"{opening}{merged}{closing}{body}"
    else:
        body = text
    return merge_section(body, section).replace("\n", newline)


def merge_section(text: str, section: str) -> str:
    """Put Markdown between our marks: where they are, else at the end.

    Raises:
        CardError: The marks do not come as one pair.
    """
    block = f"{BEGIN}\n{section.rstrip()}\n{END}"
    begins, ends = list(_BEGIN.finditer(text)), list(_END.finditer(text))
    if not begins and not ends:
        gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        return f"{text}{gap}{block}\n"
    if len(begins) != 1 or len(ends) != 1 or begins[0].start() > ends[0].start():
        message = (
            f"it has {len(begins)} gene-bench:begin and {len(ends)} gene-bench:end marks, expected one of each in this "
            "order; remove the stray ones"
        )
        raise CardError(message)
    return text[: begins[0].start()] + block + text[ends[0].end() :]


def _merge_index(metadata: str, title: str, ours: list[Mapping[str, Any]]) -> str:
    before = read_metadata(metadata)
    expected = _expected(before, title, ours)
    if expected == before:
        return metadata
    # Text was changed, so check that it means what it should: YAML has more forms than are handled here.
    try:
        if before.get(INDEX):
            merged = _rewrite(metadata, ours)
        else:
            metadata = _without_index(metadata) if INDEX in before else metadata
            start = metadata if metadata.endswith("\n") or not metadata else f"{metadata}\n"
            merged = start + _dump({INDEX: expected[INDEX]})
        means_it = read_metadata(merged) == expected
    except (CardError, LookupError):
        means_it = False
    if not means_it:
        message = f"its metadata is written in a form that {INDEX} cannot be added to; write it as an indented block"
        raise CardError(message)
    return merged


def _is_ours(entry: object) -> bool:
    source = entry.get("source") if isinstance(entry, dict) else None
    return isinstance(source, dict) and source.get("name") == SOURCE


def _expected(before: dict[str, Any], title: str, ours: list[Mapping[str, Any]]) -> dict[str, Any]:
    if before.get(INDEX) in ([], None):
        return {**before, INDEX: [{"name": title, "results": ours}]} if ours else before
    models = before[INDEX]
    if not isinstance(models, list) or not models or not isinstance(models[0], dict):
        message = f"its {INDEX} is not a list of models with results; fix or remove it"
        raise CardError(message)
    # The Hub reads the first model only.
    results = models[0].get("results")
    if not isinstance(results, list):
        message = f"the first model of its {INDEX} has no list of results; fix or remove it"
        raise CardError(message)
    kept = [entry for entry in results if not _is_ours(entry)]
    return {**before, INDEX: [{**models[0], "results": [*kept, *ours]}, *models[1:]]}


def _rewrite(metadata: str, ours: list[Mapping[str, Any]]) -> str:
    """Take our entries out of the first model's results and append the new ones, line by line."""
    results = _value(_value(yaml.compose(metadata), INDEX).value[0], "results")
    lines = metadata.splitlines(keepends=True)
    entries = [(node.start_mark.line, _last_line(node)) for node in results.value]
    theirs = yaml.safe_load(metadata)[INDEX][0]["results"]
    indent = " " * results.start_mark.column
    added = [f"{indent}{line}\n" for line in _dump(ours).splitlines()] if ours else []
    end = entries[-1][1] + 1 if entries else len(lines)
    lines[end:end] = added
    for entry, (first, last) in reversed(list(zip(theirs, entries, strict=True))):
        if _is_ours(entry):
            del lines[first : last + 1]
    return "".join(lines)


def _without_index(metadata: str) -> str:
    """Remove an empty `model-index`; the new one goes to the end."""
    lines = metadata.splitlines(keepends=True)
    (key, value), *others = [pair for pair in yaml.compose(metadata).value if pair[0].value == INDEX]
    if others:
        raise KeyError(INDEX)
    del lines[key.start_mark.line : value.end_mark.line + 1]
    return "".join(lines)


def _value(node: Any, key: str) -> Any:
    """Return the node of a key; of a key that occurs twice the last one, as YAML's loader does.

    Raises:
        KeyError: it is there only in another form, such as a merged alias.
    """
    return {name.value: value for name, value in node.value if isinstance(name, yaml.ScalarNode)}[key]


def _last_line(node: Any) -> int:
    """Last line with content: a block's own end mark lies behind the comments that follow it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        return max(_last_line(part) for pair in node.value for part in pair)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        return max(_last_line(part) for part in node.value)
    return int(node.end_mark.line) - int(node.end_mark.column == 0)


def _dump(content: object) -> str:
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))
