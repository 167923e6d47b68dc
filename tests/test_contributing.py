"""README and CONTRIBUTING do what they say: their code blocks and commands are run as they stand."""

import re
import shlex
from pathlib import Path

import pytest

from gene_eval.cli.parser import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Code blocks of a language, without the indentation of the list they stand in."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def block(text: str, language: str, needle: str) -> str:
    (body,) = (body for body in blocks(text, language) if needle in body)
    return body


def commands(text: str, needle: str) -> list[list[str]]:
    lines = block(text, "bash", needle).splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("gene-bench ")]


def run(arguments: list[str]) -> None:
    assert main(arguments) == 0, arguments


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_session_in_python(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block(README, "python", "gene_eval.run"), "README.md", "exec"), {})
    assert "starter_is_tf" in capsys.readouterr().out
    assert (folder / "results" / "bag-of-words" / "starter_is_tf.json").is_file()


def test_session(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["build", "starter_*"])
    capsys.readouterr()
    exec(compile(block(README, "python", "evaluate.load"), "README.md", "exec"), {})
    assert re.fullmatch(r"ROC-AUC 0\.89\n", capsys.readouterr().out)
    for arguments in commands(README, "gene-bench report"):
        run(arguments)
    assert "starter_is_tf" in capsys.readouterr().out


def numbers(text: str, columns: slice) -> dict[str, list[float]]:
    """Task -> the means in its line of a printed table."""
    lines = [line for line in text.splitlines() if re.match(r"starter_\w+ \*", line)]
    return {line.split()[0]: [float(x) for x in re.findall(r"(-?\d\.\d+) ±", line)][columns] for line in lines}


def test_the_table_of_the_demo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["run", "bag-of-words", "random", "-t", "starter_*"])
    # Without MiniLM's column, the first one: it takes longest, and its last digits are the platform's.
    shown = numbers(block(README, "text", "starter_is_tf"), slice(1, None))
    printed = numbers(capsys.readouterr().out, slice(None))
    assert len(shown) == 4
    assert shown == {task: pytest.approx(means, abs=0.002) for task, means in printed.items()}


def test_your_own_vectors(folder: Path) -> None:
    symbols = [
        line.split("\t")[0]
        for line in (ROOT / "builders/sources/starter/starter_genes.tsv").read_text("utf-8").splitlines()[1:]
    ]
    rows = [f"{symbol},{len(symbol)},{symbol.count('R')}.5" for symbol in symbols]
    (folder / "my_vectors.csv").write_text("\n".join(["symbol,x0,x1", *rows]) + "\n", encoding="utf-8")
    for arguments in commands(README, "my_vectors.csv"):
        run(arguments)
    assert (folder / "results" / "my_vectors" / "starter_is_tf.json").is_file()


def test_your_own_model_in_ten_lines(folder: Path) -> None:
    code = block(README, "python", "class NameStatistics")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    (folder / "my_model.py").write_text(code, encoding="utf-8")
    for arguments in commands(README, "my_model.py"):
        run(arguments)
    assert (folder / "results" / "name-statistics" / "starter_membrane_segments.json").is_file()


def test_your_own_task_in_fifteen_lines(folder: Path, real_genes: Path) -> None:
    code = block(README, "python", "class EssentialBuilder")
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    (folder / "my_task.py").write_text(code, encoding="utf-8")
    for arguments in commands(README, "my_task.py"):
        run([str(real_genes) if part == "DIR" else part for part in arguments])
    assert (folder / "results" / "bag-of-words" / "mylab_essential.json").is_file()


@pytest.fixture
def real_genes(tmp_path: Path) -> Path:
    """A data directory with HGNC rows, summaries and a screen, all made up."""
    from builders.symbols import HGNC_COLUMNS

    header = [*HGNC_COLUMNS, "name", "locus_group", "location", "gene_group"]
    lines, screen, summaries = ["\t".join(header)], ["gene,essential"], ["#tax_id\tGeneID\tSource\tSummary"]
    for i in range(60):
        cells = dict.fromkeys(header, "") | {"hgnc_id": f"HGNC:{i + 1}", "symbol": f"GENE{i}", "status": "Approved"}
        cells |= {
            "entrez_id": str(i + 1),
            "name": f"made up gene {i}",
            "locus_group": "protein-coding gene",
            "location": "1p36",
        }
        lines.append("\t".join(cells[name] for name in header))
        screen.append(f"GENE{i},{'yes' if i % 3 else 'no'}")
        summaries.append(f"9606\t{i + 1}\tRefSeq\t{'divides' if i % 3 else 'rests'} and more")
    for name, text in (
        ("hgnc/hgnc_complete_set.txt", lines),
        ("mylab/essential.csv", screen),
        ("ncbi_gene/gene_summary.tsv", summaries),
    ):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(text) + "\n", encoding="utf-8")
    (tmp_path / "data/ncbi_gene/gene_summary.tsv").rename(tmp_path / "data/ncbi_gene/gene_summary.gz")
    return tmp_path / "data"


def test_add_a_model(folder: Path) -> None:
    (folder / "example.py").write_text(block(CONTRIBUTING, "python", "LetterCounts"), encoding="utf-8")
    run(["check", "example.py:LetterCounts"])
