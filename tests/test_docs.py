"""What the documents say exists: files they link to, make targets and commands they name, rooms and their imports."""

import importlib
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from gene_eval.documentation.pages import PAGES
from model_adapters import describe
from tests.test_architecture import PACKAGES, SOURCES, imports_of

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`|\$ )make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert named - targets == set()


def test_commands_exist() -> None:
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            "import gene_eval.cli, sys; sys.argv[1:] = ['--help']; gene_eval.cli.main()",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    named = set(re.findall(r"(?:^|`|\$ )gene-bench ([a-z]+)", text, re.MULTILINE))
    assert {name for name in named if not re.search(rf"\b{name}\b", shown)} == set()


def test_every_decision_states_a_choice_and_says_why() -> None:
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    subjects = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    entries = {subject.splitlines()[0]: re.split(r"^### ", subject, flags=re.MULTILINE)[1:] for subject in subjects}
    assert [subject for subject, found in entries.items() if not found] == []
    titles = [entry.splitlines()[0] for found in entries.values() for entry in found]
    assert len(titles) == len(set(titles)) > 0
    form = re.compile(r"[^\n]+\n(?!\*\*Why)\S.*?\n\n\*\*Why\.\*\* \S", re.DOTALL)
    assert [entry.splitlines()[0] for found in entries.values() for entry in found if not form.match(entry)] == []


def _architecture() -> str:
    return (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def _does_not_exist(name: str) -> bool:
    """Whether what stands in backticks is neither a path nor `module:name`, nor a call, command or bare word."""
    module, _, attribute = name.partition(":")
    if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+:\w+", name):
        return not hasattr(importlib.import_module(module), attribute)
    is_path = ("/" in name or name.endswith((".py", ".md")) or name in PACKAGES) and not re.search(r"[ (]", name)
    return is_path and not (ROOT / name).exists()


def test_names_are_looked_up() -> None:
    assert not any(map(_does_not_exist, ("builders/folds", "builders.catalog:BUILDERS", "gene-bench why GENE")))
    assert all(map(_does_not_exist, ("builders/folded.py", "folds.py", "builders.catalog:SOURCES")))


def test_the_map_names_what_is_there() -> None:
    text = re.sub(r"```.*?```", "", _architecture(), flags=re.DOTALL)
    named = set(re.findall(r"`([^`\n]+)`", text))
    assert sorted(filter(_does_not_exist, named)) == []
    rooms = {path.parent.relative_to(ROOT).as_posix() for path in SOURCES.values() if path.name != "__init__.py"}
    assert sorted(rooms - named) == []


def test_arrows_of_the_map_are_those_of_the_imports() -> None:
    nodes = dict(re.findall(r"(\w+)\[\"([^\"<]+)", _architecture()))
    lines = re.findall(r"^ *(\w+)\S* --> (.+)$", _architecture(), re.MULTILINE)
    arrows = {(nodes[above], nodes[below]) for above, targets in lines for below in targets.split(" & ")}
    imported = {
        (room, other)
        for module, path in SOURCES.items()
        for name in imports_of(path.read_text(encoding="utf-8"), module, is_package=path.name == "__init__.py")
        if (room := _room(module, nodes.values())) != (other := _room(name, nodes.values())) and room and other
    }
    assert arrows - imported == set()
    assert imported - _closure(arrows) == set()
    # Two rooms that reach each other are one.
    assert {pair for pair in _closure(arrows) if pair[::-1] in _closure(arrows)} == set()


def _room(module: str, rooms: Iterable[str]) -> str:
    found = [room for room in rooms if f"{module}.".startswith(room.replace("/", ".") + ".")]
    return max(found, key=len, default="")


def _closure(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    while more := {(a, d) for a, b in arrows for c, d in arrows if b == c} - arrows:
        arrows = arrows | more
    return arrows


@pytest.mark.parametrize("page", PAGES)
def test_made_pages_are_current(page: str) -> None:
    assert (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") == PAGES[page](), "run: make docs"


def test_the_models_of_the_paper_are_one_command_each() -> None:
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S+) \| `([^`]+)` \| .* \| (\d+) \| [^|]*\|$", text, re.MULTILINE)
    names = ("MTEB-L", "MTEB-S", "MPNet", "Bag-of-words", "CellPLM", "Geneformer", "ScGPT-H", "ScGPT-B", "Gene2Vec")
    assert [name for name, _, _ in rows] == [*names, "DNABERT-2", "ESM-2"]
    known = describe()
    for _, model, dimension in rows:
        info = known[model.partition(":")[0]]
        # A range, where the adapter reads models of several sizes.
        assert dimension in info.dimension or info.dimension.startswith("the model's")
