"""Writes docs/example from a folder of results: report, comparison, card and pictures, and how they were made.

    python benchmarks/make_example.py RESULTS MODEL --command "gene-bench run ..." [-o docs/example]

MODEL is the one whose card is shown, and `--command` (again for more) what made RESULTS. Pictures are reduced to few
colours, since they stay in the repository for ever. The page is there as pictures: its code is that of the templates.
"""

import argparse
import importlib.util
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from string import Template

import pandas as pd
from PIL import Image

import gene_eval
from gene_eval.analysis.groups import OVERALL
from gene_eval.analysis.tables import Table
from gene_eval.catalogue.suites import averaged
from gene_eval.errors import ReportError
from gene_eval.publishing.cards import make_card
from gene_eval.reporting import text as reports
from gene_eval.reporting.page.render import render
from gene_eval.reporting.plots import save as plots

PAGE = "index.html"
LARGEST_EXAMPLE = 1_500_000
# Picture, and what it shows.
PICTURES = {
    "page.png": "The page: which model is best, how surely, on how many genes",
    "page_family.png": "The page: the same for one family, with its tasks",
    "page_family_phone.png": "The page on a phone",
    "page_task.png": "The page: one task, with the scores of each fold",
    "page_compare.png": "The page: two models compared",
    "families.png": "Mean and standard deviation over the tasks of each family",
    "figure2.png": "The same by the families of the paper's Figure 2, and F1 as in its Figure S1",
    "ranks.png": "Ranks with their intervals, and models that were not distinguished",
    "tasks.png": "Every model on every task",
    "similarity_models.png": "Models with alike scores",
    "similarity_tasks.png": "Tasks with alike scores",
    "folds.png": "The two best models, fold by fold",
}
README = Template("""# Example

$models models on $tasks tasks, as gene-bench shows them. Everything here is computed from the result files of these
commands (gene-bench $version), and holds no row of any source:

```bash
$commands
```

$files

$pictures
""")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, metavar="RESULTS")
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--command", action="append", required=True, help="what made RESULTS; repeat for more")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/example"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    write(arguments.output, gene_eval.load_results(arguments.results), arguments.model, arguments.command)
    sizes = {path.name: path.stat().st_size for path in sorted(arguments.output.iterdir())}
    print(*(f"{size:>9,}  {name}" for name, size in sizes.items()), f"{sum(sizes.values()):>9,}", sep="\n")
    if sum(sizes.values()) > LARGEST_EXAMPLE:
        parser.error(f"more than {LARGEST_EXAMPLE:,} bytes: too much for a repository")


def write(folder: Path, found: gene_eval.Results, model: str, commands: Sequence[str]) -> None:
    report = found.report
    (table,) = report.tables
    texts = {
        "report.md": reports.to_markdown(report),
        "comparison.txt": "\n".join(_comparisons(found, table)),
        "card.md": make_card(found.results, model, plot="families.png", suites=averaged()).merged(None),
    }
    with tempfile.TemporaryDirectory() as drawn:
        _screenshots(render(report), table, Path(drawn))
        plots.save(report, drawn)
        for name in PICTURES:
            (folder / name).unlink(missing_ok=True)
        for path in sorted(path for path in Path(drawn).glob("*.png") if path.name in PICTURES):
            Image.open(path).convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE).save(
                folder / path.name, optimize=True
            )
    ours = [f"gene-bench report results {options}" for options in ("-o report.md", "--format html -o index.html")]
    ours += ["gene-bench report results --plots .", f"gene-bench card results {model} -o card.md --plot families.png"]
    texts["README.md"] = README.substitute(
        models=len(table.models),
        tasks=len(table.tasks),
        version=found.results[0].environment["gene-bench"],
        commands="\n".join([*commands, *ours]),
        files=" · ".join(f"[{name}]({name})" for name in texts),
        pictures="\n\n".join(
            f"{shows}:\n\n![{shows}]({name})" for name, shows in PICTURES.items() if (folder / name).exists()
        ),
    )
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    leaderboard = _leaderboard(found, table)
    if len(leaderboard):
        leaderboard.to_csv(folder / "leaderboard.csv", index=False, float_format="%.4f")


def _leaderboard(found: gene_eval.Results, table: Table) -> pd.DataFrame:
    """Means and ranks of each group of ROC-AUC tasks, overall first: what `make pictures` draws."""
    ranks = found.rank()
    ranks = ranks[ranks["group"] != "regression"].drop(columns="std_error")
    ranks.insert(3, "control", ["yes" if model in table.controls else "" for model in ranks["model"]])
    return ranks


def _comparisons(found: gene_eval.Results, table: Table) -> Iterator[str]:
    """The two best models, the best one and a control, and controls among themselves."""
    best = [model for model in table.models if model not in table.controls]
    pairs = [*pairwise(best[:2]), *((best[0], control) for control in table.controls[:1]), *pairwise(table.controls)]
    for first, second in pairs:
        try:
            text = f"{found.compare(first, second)}\n"
        except ReportError as error:
            text = f"{error}\n"
        yield f"$ gene-bench compare results {first} {second}\n{text}"


def _screenshots(page: str, table: Table, folder: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None or importlib.util.find_spec("playwright") is None:
        return
    from playwright.sync_api import sync_playwright

    (folder / PAGE).write_text(page, encoding="utf-8")
    family = next((name for name in table.groups if name == "localization"), OVERALL)
    views = {
        "page": "leaderboard",
        "page_family": f"leaderboard?over={family}",
        "page_task": f"task/{table.tasks[0].name}",
        "page_compare": "compare",
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, view in views.items():
            for ending, width in (("", 1280), ("_phone", 380)):
                tab = browser.new_page(viewport={"width": width, "height": 800})
                tab.goto(f"{(folder / PAGE).as_uri()}#default/{view}")
                tab.screenshot(path=folder / f"{name}{ending}.png")
        browser.close()


if __name__ == "__main__":
    main()
