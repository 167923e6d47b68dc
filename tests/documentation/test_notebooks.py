"""The notebooks run from top to bottom: on the starter data, and on real data where it is."""

import ast
from pathlib import Path

import jupytext
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.md"))


def run(notebook: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the cells show: the value of each cell's last expression."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    session: dict[str, object] = {"__name__": "__main__"}
    shown = []
    for cell in jupytext.read(notebook).cells:
        if cell.cell_type == "code":
            body = ast.parse(cell.source)
            last = ast.Expression(body.body.pop().value) if isinstance(body.body[-1], ast.Expr) else None
            exec(compile(body, str(notebook), "exec"), session)
            if last is not None:
                value = eval(compile(last, str(notebook), "eval"), session)
                shown.append(getattr(value, "_repr_html_", value.__repr__)() or value)
    return shown


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_on_the_starter_data(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(notebook, tmp_path / "run", monkeypatch)


@pytest.mark.real_data
def test_on_real_data(raw_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # All in one test: tables of genes are forgotten between tests.
    monkeypatch.setenv("GENE_BENCH_DATA_DIR", str(raw_dir))
    assert all([run(notebook, tmp_path / notebook.stem, monkeypatch) for notebook in NOTEBOOKS])
