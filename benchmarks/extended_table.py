"""The tasks beyond the paper, by models and controls: the table of docs/extended.md, made from real files.

    python benchmarks/extended_table.py --data-dir DIR --minilm FILE --expression FILE -o docs/extended.md

Results are kept in --results, so that a second call only writes the page; --figures also takes the two controls and the
best model of each task for docs/tasks.md. Tasks whose files DIR lacks are left out, and named.
"""

import argparse
import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import gene_eval
from builders import BUILDERS
from gene_eval.catalogue.suites import suites
from gene_eval.documentation.pages import EXPLAINED

PUBLICATIONS, LOOKUP, CHANCE = "publications", "family lookup", "random"
CONTROLS = {PUBLICATIONS: "nuisance:publications", LOOKUP: "lookup:family", CHANCE: "random"}
BAG, MINILM, EXPRESSION = "bag-of-words", "MiniLM", "HPA expression"
MODELS = (BAG, MINILM, EXPRESSION)
# Target -> main metric, and what a guess gets.
MAIN = {
    "binary": ("roc_auc", 0.5),
    "multiclass": ("roc_auc_ovr_macro", 0.5),
    "multilabel": ("roc_auc_macro", 0.5),
    "regression": ("r2", 0.0),
}
FIELDS = ("task", "metric", PUBLICATIONS, LOOKUP, "best", "best_model", "explained_by")
Scores = Mapping[str, float]


def measured() -> list[str]:
    """The tasks of the suite that say who made their labels."""
    configs = {config.name: config for builder in BUILDERS for config in builder.BUILDER_CONFIGS}
    return [task for task in suites()["extended"].tasks if configs[task].made_by]


def explained(scores: Scores, guess: float) -> dict[str, float]:
    """Share of the best model's score above a guess that each control gets; none where no model beats a guess.

    >>> explained({"publications": 0.7, "family lookup": 0.5, "bag-of-words": 0.75}, 0.5)
    {'publications': 0.8, 'family lookup': 0.0}
    """
    gain = max((scores[name] for name in MODELS if name in scores), default=guess) - guess
    known = [name for name in (PUBLICATIONS, LOOKUP) if name in scores]
    return {name: round((scores[name] - guess) / gain, 3) for name in known} if gain > 0 else {}


def flags(scores: Scores, guess: float) -> str:
    """Controls that explain a task, with their shares; a share above 1 is a control that is ahead of every model."""
    shares = explained(scores, guess)
    return ", ".join(f"{name} ({share:.0%})" for name, share in shares.items() if share >= EXPLAINED)


def table(found: Mapping[str, tuple[str, int, Scores]]) -> str:
    """As Markdown; a task that a control explains has the control's name in the last column."""
    names = [*CONTROLS, *MODELS]
    lines = [["task", "metric", "n", *names, "explained by"], ["---"] * (len(names) + 4)]
    for task, (target, n, scores) in found.items():
        metric, guess = MAIN[target]
        cells = [f"{scores[name]:.3f}" if name in scores else "" for name in names]
        lines.append([f"`{task}`", metric, f"{n:,}", *cells, flags(scores, guess)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figures(found: Mapping[str, tuple[str, int, Scores]]) -> list[Sequence[str]]:
    """Rows of `FIELDS`."""
    rows: list[Sequence[str]] = [FIELDS]
    for task, (target, _, scores) in found.items():
        metric, guess = MAIN[target]
        best = max((name for name in MODELS if name in scores), key=lambda name: scores[name], default="")
        cells = [f"{scores[name]:.3f}" if name in scores else "" for name in (PUBLICATIONS, LOOKUP, best)]
        rows.append((task, metric, *cells, best, flags(scores, guess)))
    return rows


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--minilm", help="MODEL string, or a file of vectors that `gene-bench embed` wrote")
    parser.add_argument("--expression", help="HPA's rna_tissue_consensus.tsv.zip, read as an expression profile")
    parser.add_argument("--results", type=Path, default=Path("extended-results"))
    parser.add_argument("--figures", type=Path, help="table that docs/tasks.md takes its figures from")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    tasks, found, absent = measured(), {}, set()
    expression = arguments.expression and f"expression:{arguments.expression}"
    models = CONTROLS | {BAG: BAG, MINILM: arguments.minilm, EXPRESSION: expression}
    for name, model in models.items():
        if not model:
            continue
        results = gene_eval.run({name: model}, tasks, data_dir=arguments.data_dir, out=arguments.results)
        absent |= {f"{failure.task}: {failure.reason}" for failure in results.failures}
        for result in results:
            task = result.task
            _, _, scores = found.setdefault(task.id, (task.target, task.n, {}))
            scores[name] = result.scores[MAIN[task.target][0]].mean
    ordered = {task: found[task] for task in tasks if task in found}
    start, end = "<!-- tables -->", "<!-- end of tables -->"
    page = arguments.output.read_text(encoding="utf-8") if arguments.output.exists() else f"{start}\n{end}\n"
    before, after = page.split(start)[0], page.split(end)[1]
    parts = [f"{before}{start}", table(ordered), f"Made on {datetime.now(UTC):%Y-%m-%d}.", f"{end}{after}"]
    arguments.output.write_text("\n\n".join(parts), encoding="utf-8")
    if arguments.figures:
        with arguments.figures.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, delimiter="\t", lineterminator="\n").writerows(figures(ordered))
    print("\n".join(sorted(absent)) or f"{len(ordered)} tasks")


if __name__ == "__main__":
    main()
