"""What else could explain a score: the table of docs/validity.md, made from real files.

    python benchmarks/validity_table.py --data-dir DIR --minilm MODEL -o docs/validity.md

Lookups, covariates, bag-of-words and a sentence model, on random, family and chromosome folds; for pairs of genes, with
both genes unseen, and with families apart. Results are kept in --results: a second call only writes the page.
"""

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import gene_eval

TASKS = {
    "humantfs_is_tf": "is_tf",
    "genecorpus_dosage_sensitive_tf": "dosage-sensitive TF",
    "reactome_pathways": "Reactome pathways",
    "uniprot_domain": "UniProt domain",
    "uniprot_ligand": "UniProt ligand",
    "uniprot_ptm": "UniProt PTM",
}
PAIRS = {"gene2vec_gene_pairs": "gene pairs"}
METRICS = ("roc_auc", "roc_auc_macro")
MINILM = "MiniLM"
Columns = Mapping[str, tuple[str, tuple[str, ...]]]
# Column of the table -> MODEL and splits.
COLUMNS: Columns = {
    "lookup": ("lookup:family", ("random",)),
    "bag-of-words": ("bag-of-words", ("random", "family", "chromosome")),
    MINILM: (MINILM, ("random", "family")),
    "publications": ("nuisance:publications", ("random",)),
    "covariates": ("nuisance:all", ("random",)),
}
PAIR_COLUMNS: Columns = {
    "lookup of each gene": ("lookup:pair", ("random", "gene_disjoint")),
    "random, 128 numbers": ("random", ("random", "gene_disjoint")),
    "random, 512 numbers": ("random:dim=512", ("random", "gene_disjoint")),
    MINILM: (MINILM, ("random", "gene_disjoint", "family_disjoint")),
    "publications": ("nuisance:publications", ("random",)),
}


def scores(tasks: Sequence[str], columns: Columns, *, minilm: str | None, **options: object) -> list[list[str]]:
    """One row for each task: the ROC-AUC of each column, by split."""
    found: dict[tuple[str, str, str], str] = {}
    for name, (model, splits) in columns.items():
        if model == MINILM and minilm is None:
            continue
        given = {MINILM: minilm} if model == MINILM else model
        for result in gene_eval.run(given, list(tasks), split=splits, **options):
            metric = next(metric for metric in METRICS if metric in result.scores)
            found[result.task.id, name, result.settings.split] = f"{result.scores[metric].mean:.3f}"
    return [
        [
            " / ".join(found.get((task, name, split), "not run").removeprefix("0") for split in splits)
            for name, (_, splits) in columns.items()
        ]
        for task in tasks
    ]


def table(tasks: Mapping[str, str], columns: Columns, rows: Sequence[Sequence[str]]) -> str:
    """As Markdown."""
    heads = [f"{name} {' / '.join(splits)}" for name, (_, splits) in columns.items()]
    lines = [["task", *heads], ["---"] * (len(heads) + 1)]
    lines += [[title, *row] for title, row in zip(tasks.values(), rows, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--minilm", help="MODEL string, or a file of vectors that `gene-bench embed` wrote")
    parser.add_argument("--results", type=Path, default=Path("validity-results"))
    parser.add_argument("--no-pairs", action="store_true", help="leave the pairs out, which take longest")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    options = {"minilm": arguments.minilm, "data_dir": arguments.data_dir, "out": arguments.results}
    parts = [table(TASKS, COLUMNS, scores(list(TASKS), COLUMNS, **options))]
    if not arguments.no_pairs:
        parts.append(table(PAIRS, PAIR_COLUMNS, scores(list(PAIRS), PAIR_COLUMNS, **options)))
    start, end = "<!-- tables -->", "<!-- end of tables -->"
    page = arguments.output.read_text(encoding="utf-8") if arguments.output.exists() else f"{start}\n{end}\n"
    before, rest = page.split(start)
    after = rest.split(end)[1]
    made = f"Made on {datetime.now(UTC):%Y-%m-%d}."
    arguments.output.write_text("\n\n".join([f"{before}{start}", *parts, made, f"{end}{after}"]), encoding="utf-8")


if __name__ == "__main__":
    main()
