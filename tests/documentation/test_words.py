"""Pages and messages use the words of docs/glossary.md, and none that it says not to use."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_architecture import SOURCES

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
PAGES = [page for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if page != GLOSSARY]
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]*) ?\|$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)[2:]
AVOIDED = sorted(word for _, _, words in ROWS for word in words.strip().split(", ") if word)
# Names of targets are told in pages and messages as the code spells them, and are cells of tables made from it.
OF_THE_CODE = {"multiclass", "multilabel", "sklearn"}


def avoided(text: str, words: list[str]) -> list[str]:
    return [word for word in words if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE)]


def prose(markdown: str) -> str:
    """A page without code, comments, metadata, addresses, and the first words of a table's rows that are names."""
    for what in (r"\A---\n.*?^---$", r"^ *```.*?^ *```$", r"<!--.*?-->", r"`[^`\n]*`", r"\]\([^)]*\)", r"\(https?:\S+"):
        markdown = re.sub(what, " ", markdown, flags=re.DOTALL | re.MULTILINE)
    return markdown


def messages(source: str) -> Iterator[str]:
    """Texts of errors, warnings and help: what is put into `message`, `msg`, `help`, or said."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and any(getattr(each, "id", "") in ("message", "msg") for each in node.targets):
            yield from _texts(node.value)
        elif isinstance(node, ast.keyword) and node.arg == "help":
            yield from _texts(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("say", "log"):
            yield from (text for argument in node.args for text in _texts(argument))


def _texts(node: ast.AST) -> Iterator[str]:
    yield from (part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))


def test_each_word_is_explained_once_and_in_order() -> None:
    words = [word for word, _, _ in ROWS]
    assert words == sorted(set(words), key=str.lower)
    assert len(words) > 30
    assert set(AVOIDED).isdisjoint(words)


def test_what_is_avoided_is_found() -> None:
    assert avoided(prose("An AUROC of the `multilabel` task; data sets."), AVOIDED) == ["AUROC"]
    assert list(messages('message = f"no {x} baseline"')) == ["no ", " baseline"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_keep_to_the_words(page: Path) -> None:
    # A table that is made from the code has its names for targets.
    words = [word for word in AVOIDED if word not in OF_THE_CODE] if page.stem == "tasks" else AVOIDED
    assert avoided(prose(page.read_text(encoding="utf-8")), words) == []


def test_messages_keep_to_the_words() -> None:
    words = [word for word in AVOIDED if word not in OF_THE_CODE]
    found = {
        f"{module}: {text}"
        for module, path in SOURCES.items()
        for text in messages(path.read_text(encoding="utf-8"))
        if avoided(text, words)
    }
    assert found == set()
