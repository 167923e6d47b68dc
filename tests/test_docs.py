"""What the documents say exists: files they link to, make targets and commands they name."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gene_eval.documentation.pages import PAGES
from model_adapters import describe

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


def test_every_decision_says_why() -> None:
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    entries = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.splitlines()[0] for entry in entries if "**Why.**" not in entry] == []


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
