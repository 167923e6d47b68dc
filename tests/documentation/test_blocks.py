"""Every code block of the site, README and CONTRIBUTING does what it says.

Blocks of a page run in their order, in one folder and one Python session. A block after `<!-- needs: WHAT -->` wants
raw files or weights that are not here: its commands are read by the parser, its Python is compiled.
"""

import glob
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from gene_eval.cli.parser import main, make_parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if "```" in page.read_text(encoding="utf-8") and page.parent.name != "notebooks"
)
NOT_RUN = {"text", "mermaid"}
"""What is printed or drawn: see `AFTER`, and tests/test_docs.py for the diagram."""


@dataclass(frozen=True)
class Block:
    """A fenced block; `needs` says what it takes that a test has not."""

    language: str
    body: str
    needs: str


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    fences = r"^(?: *<!-- needs: ([^\n]+) -->\n)?( *)```(\w*)\n(.*?)^ *```$"
    found = re.findall(fences, text, re.MULTILINE | re.DOTALL)
    assert len(found) == len(re.findall(r"^ *```\w", text, re.MULTILINE)), "a block is not closed, or has no language"
    # What an example shows was made from raw files.
    needs_all = "raw files" if page.parent.name == "example" else ""
    return [
        Block(language, re.sub(rf"^{indent}", "", body, flags=re.MULTILINE), needs or needs_all)
        for needs, indent, language, body in found
    ]


def block(page: str, language: str, needle: str) -> str:
    (found,) = (each.body for each in blocks_of(ROOT / page) if each.language == language and needle in each.body)
    return found


def commands(body: str) -> list[list[str]]:
    lines = re.sub(r"\\\n\s*", " ", body).splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def run(words: list[str], folder: Path, *, is_read_only: bool) -> None:
    """Run a command, or only see that it could be: the parser takes its arguments, the script has its options."""
    if words[0] == "/usr/bin/time":
        words = words[2:]
    program, *arguments = words
    if program == "gene-bench":
        arguments = [str(folder / "data") if word == "DIR" else word for word in arguments]
        expanded = [part for word in arguments for part in (sorted(glob.glob(word)) or [word])]  # noqa: PTH207
        if is_read_only:
            make_parser().parse_known_args(arguments)
        else:
            assert main(expanded) == 0, words
    elif program == "python":
        source = (ROOT / arguments[0]).read_text(encoding="utf-8")
        assert [word for word in arguments if word.startswith("--") and f'"{word}"' not in source] == []
    elif program == "make":
        assert f"\n{arguments[0]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    else:
        # An installation, which the jobs of the workflow make, or a program that is not ours.
        assert words[:2] == ["pip", "install"] or is_read_only, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run(page: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if prepare := BEFORE.get(page.relative_to(ROOT).as_posix()):
        prepare(folder)
    session: dict[str, object] = {"__name__": "__main__"}
    for each in blocks_of(page):
        if each.language == "python":
            code = compile(each.body, str(page), "exec")
            if file := _named_file(page, each.body):
                (folder / file).write_text(each.body, encoding="utf-8")
            elif not each.needs:
                exec(code, session)
        elif each.language == "bash":
            for words in commands(each.body):
                run(words, folder, is_read_only=bool(each.needs))
        elif each.language == "yaml":
            assert yaml.safe_load(each.body) is not None
        else:
            assert each.language in NOT_RUN
    if check := AFTER.get(page.relative_to(ROOT).as_posix()):
        check(capsys.readouterr().out)


def _named_file(page: Path, body: str) -> str | None:
    """The file that a class of the block is named by: `my_model.py:NameStatistics` somewhere on the page."""
    text = page.read_text(encoding="utf-8")
    found = (re.search(rf"(\w+\.py):{name}\b", text) for name in re.findall(r"^class (\w+)", body, re.MULTILINE))
    return next((match[1] for match in found if match), None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def starter_symbols() -> list[str]:
    lines = (ROOT / "builders/sources/starter/starter_genes.tsv").read_text("utf-8").splitlines()[1:]
    return [line.split("\t")[0] for line in lines]


def write_vectors(folder: Path) -> None:
    """Vectors as a table, and as the pickle that GenePT is published as."""
    import pickle

    vectors = {symbol: [float(len(symbol)), symbol.count("R") + 0.5] for symbol in starter_symbols()}
    rows = [f"{symbol},{x:g},{y}" for symbol, (x, y) in vectors.items()]
    (folder / "my_vectors.csv").write_text("\n".join(["symbol,x0,x1", *rows]) + "\n", encoding="utf-8")
    (folder / "GenePT_gene_embedding_ada_text.pickle").write_bytes(pickle.dumps(vectors))


def write_results(folder: Path) -> None:
    run(shlex.split("gene-bench run bag-of-words random -t starter_is_tf -o results"), folder, is_read_only=False)


def write_genes(folder: Path) -> None:
    """A data directory with HGNC rows, summaries and a screen, all made up."""
    from builders.symbols import HGNC_COLUMNS

    header = [*HGNC_COLUMNS, "name", "locus_group", "location", "gene_group"]
    lines, screen, summaries = ["\t".join(header)], ["gene,essential"], ["#tax_id\tGeneID\tSource\tSummary"]
    for i in range(60):
        cells = dict.fromkeys(header, "") | {"hgnc_id": f"HGNC:{i + 1}", "symbol": f"GENE{i}", "status": "Approved"}
        cells |= {"entrez_id": str(i + 1), "name": f"made up gene {i}"}
        cells |= {"locus_group": "protein-coding gene", "location": "1p36"}
        lines.append("\t".join(cells[name] for name in header))
        screen.append(f"GENE{i},{'yes' if i % 3 else 'no'}")
        summaries.append(f"9606\t{i + 1}\tRefSeq\t{'divides' if i % 3 else 'rests'} and more")
    for name, text in (
        ("hgnc/hgnc_complete_set.txt", lines),
        ("mylab/essential.csv", screen),
        ("ncbi_gene/gene_summary.gz", summaries),
    ):
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(text) + "\n", encoding="utf-8")


BEFORE: dict[str, Callable[[Path], None]] = {
    "docs/vectors.md": write_vectors,
    "docs/own-task.md": write_genes,
    "docs/publishing.md": write_results,
}
"""Page -> what its reader has, or made before."""


def numbers(text: str, columns: slice) -> dict[str, list[float]]:
    """Task -> the means in its line of a printed table; of several tables the first."""
    lines = [line for line in text.splitlines() if re.match(r"starter_\w+ \*", line)]
    found = [(line.split()[0], [float(x) for x in re.findall(r"(-?\d\.\d+) ±", line)][columns]) for line in lines]
    return dict(reversed(found))


def shows_the_table_of_the_demo(printed: str) -> None:
    # Without MiniLM's column, the first one: it takes longest, and its last digits are the platform's.
    shown = numbers(block("docs/index.md", "text", "starter_is_tf"), slice(1, None))
    assert len(shown) == 4
    assert shown == {task: pytest.approx(means, abs=0.002) for task, means in numbers(printed, slice(None)).items()}


def shows_the_score_of_a_run(printed: str) -> None:
    assert printed.endswith("ROC-AUC 0.89\n")


AFTER: dict[str, Callable[[str], None]] = {
    "docs/index.md": shows_the_table_of_the_demo,
    "docs/by-name.md": shows_the_score_of_a_run,
}
"""Page -> what its blocks must have printed."""


def test_a_model_is_ten_lines_and_a_task_fifteen() -> None:
    for page, needle, most in (
        ("docs/own-model.md", "NameStatistics", 10),
        ("docs/own-task.md", "EssentialBuilder", 15),
    ):
        code = block(page, "python", f"class {needle}")
        assert len([line for line in code.splitlines() if line.strip()]) <= most


def test_add_a_model(folder: Path) -> None:
    (folder / "example.py").write_text(block("CONTRIBUTING.md", "python", "LetterCounts"), encoding="utf-8")
    assert main(["check", "example.py:LetterCounts"]) == 0
