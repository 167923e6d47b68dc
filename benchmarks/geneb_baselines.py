"""Scores models without trained weights on GENEB's tasks that a data directory can build: a Markdown table.

python benchmarks/geneb_baselines.py --data-dir DIR -o RESULTS [--models kmer:k=4 gc random] [--tasks 'geneb_gue_*']

Three regimes, under the protocols geneb and scaled. Without --models: words of four and of six bases, the share of G
and C, random numbers, and two small models with random weights, which are made in RESULTS; esm-tiny and mamba-tiny are
made where they are named. What RESULTS holds is not scored again. With --overlaps it says which tasks share sequences
instead.
"""

import argparse
import sys
from pathlib import Path

import gene_eval
from builders import BuilderError, RawFiles, load, select
from builders.dataset import parts_of
from builders.sequences.repeats import overlaps

MODELS = ("kmer:k=4", "kmer:k=6", "gc", "random")
TINY = ("bert-tiny", "gpt2-tiny")
ON_DEMAND = ("esm-tiny", "mamba-tiny")
REGIMES = (None, 10, 1)
COLUMNS = ("full", "10 shots", "1 shot")
LENGTH = 512


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("-o", "--output", type=Path, default=Path("geneb-results"))
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--tasks", nargs="+", default=["geneb_*"])
    parser.add_argument("--overlaps", action="store_true", help="print which tasks share sequences instead")
    return parser.parse_args()


def make_tiny(folder):
    """Two layers of 64 with random weights of seed 0, one token a base, which nobody trained."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    names = ["[PAD]", "[UNK]", "[MASK]", *"ACGTN"]
    vocabulary = {token: number for number, token in enumerate(names)}
    tokens = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokens.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokens, pad_token="[PAD]", unk_token="[UNK]", mask_token="[MASK]", model_max_length=LENGTH
    ).save_pretrained(folder)
    common = {"vocab_size": len(names), "hidden_size": 64, "num_hidden_layers": 2, "pad_token_id": 0}
    heads = {"num_attention_heads": 4, "max_position_embeddings": LENGTH}
    kinds = {
        "bert-tiny": ("Bert", {**heads, "intermediate_size": 128}),
        "gpt2-tiny": ("GPT2", heads),
        "esm-tiny": (
            "Esm",
            {**heads, "intermediate_size": 128, "mask_token_id": 2, "position_embedding_type": "rotary"},
        ),
        "mamba-tiny": ("Mamba", {"state_size": 8}),
    }
    kind, sizes = kinds[folder.name]
    torch.manual_seed(0)
    options = {"add_pooling_layer": False} if kind in ("Bert", "Esm") else {}
    config = getattr(transformers, f"{kind}Config")(**common, **sizes)
    getattr(transformers, f"{kind}Model")(config, **options).save_pretrained(folder)


def models_of(names, folder):
    """Name -> MODEL, of the small models after they were made where they are not there yet."""
    found = {}
    for name in names:
        is_tiny = name in TINY or name in ON_DEMAND
        if is_tiny and not (folder / name / "config.json").exists():
            make_tiny(folder / name)
        found[name] = f"dna:{folder / name},window=500" if is_tiny else name
    return found


def cell(result):
    """Matthews coefficient with its interval, or with its standard deviation over the draws."""
    score = result.scores["mcc"]
    if len(score.folds) > 1:
        return f"{score.mean:.3f} ± {score.std:.3f}"
    low, high = result.intervals["mcc"]
    return f"{score.mean:.4f} ({low:.3f} to {high:.3f})"


def table(results):
    """Lines of the table, sorted by task."""
    found = {(r.task.id, r.model.id, r.settings.protocol, r.settings.shots): r for r in results}
    columns = [(protocol, shots) for protocol in ("geneb", "scaled") for shots in REGIMES]
    heads = [f"`{protocol}`, {name}" for protocol in ("geneb", "scaled") for name in COLUMNS]
    yield f"| task | model | {' | '.join(heads)} |"
    yield f"|{' --- |' * (2 + len(heads))}"
    for task, model in dict.fromkeys((r.task.id, r.model.id) for r in results):
        cells = [cell(found[task, model, *key]) if (task, model, *key) in found else "–" for key in columns]
        yield f"| {task.removeprefix('geneb_')} | {model} | {' | '.join(cells)} |"


def print_overlaps(tasks):
    ids = {task.config.name: {n: p["sequence_id"][:] for n, p in parts_of(task.dataset).items()} for task in tasks}
    print(f"| task | also in | sequences shared | of | test sequences in the other's train |\n|{' --- |' * 5}")
    for each in overlaps(ids):
        print(f"| {each.one} | {each.other} | {each.shared:,} | {each.n_one:,} | {each.test_in_train:,} |")


def main() -> None:
    given = arguments()
    raw, tasks = RawFiles(given.data_dir), []
    for name in select(given.tasks):
        try:
            tasks.append(load(name, raw))
        except BuilderError as error:
            print(f"left out: {error}", file=sys.stderr)
    if given.overlaps:
        print_overlaps(tasks)
        return
    named = models_of(given.models or (*MODELS, *TINY), given.output / ".models")
    models = [{name: spec} for name, spec in named.items()]
    names = [task.config.name for task in tasks]
    for protocol in ("geneb", "scaled"):
        for model in models:
            gene_eval.run(
                model, names, out=given.output, data_dir=given.data_dir, protocol=protocol, shots=list(REGIMES)
            )
    order = {name: number for number, name in enumerate(names)}
    of_model = {name: number for number, model in enumerate(models) for name in model}
    results = [r for r in gene_eval.load_results(given.output) if r.task.id in order and r.model.id in of_model]
    print("\n".join(table(sorted(results, key=lambda r: (order[r.task.id], of_model[r.model.id])))))


if __name__ == "__main__":
    main()
