"""Writes `docs/tasks.md` and `docs/models.md` from configs and adapters: `make docs`; a test keeps them current."""

import csv
import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from string import Template

from builders import BUILDERS, Source, TaskConfig
from builders.sources.genes.ensembl import ENSEMBL
from builders.sources.uniprot import UNIPROT
from model_adapters import describe
from model_adapters.files.formats import formats_table
from model_adapters.sequence.dna.presets import NOT_LOADED, PRESETS

__all__ = ["EXPLAINED", "PAGES", "models_markdown", "tasks_markdown"]

MADE_ON_THE_SPOT = ("BERT", "ESM", "GPT-2", "Mamba")
"""Classes of transformers of which the tests make a small DNA model with random weights and run it."""
EXPLAINED = 0.8
"""Share of the best model's score above a guess at which a control explains a task."""
INTRODUCTION = """# Tasks

Made from the configs by `make docs`; do not edit.

{n} tasks, {paper} of them from [arXiv 2412.04075](https://arxiv.org/abs/2412.04075), and {labels} of them multi-label:
each label is also a binary task of its own (`gene-bench run MODEL -t 'reactome_pathways/*'`). Sizes depend on the
version of the source; `gene-bench build` prints yours beside the paper's. A task marked with * counts in no ranking;
one marked with ‡ is built and run only when it is named, since not everybody may use it under its terms.

For tasks beyond the paper it says who made the labels, and what biases them. Figures are those of
[Tasks beyond the paper](extended.md), where "explained" means that a control without any model gets {explained:.0%} or
more of what the best model there is above a guess.
"""


def tasks_markdown() -> str:
    """The page: one section per source, one row per task."""
    tasks = [config for builder in BUILDERS for config in builder.BUILDER_CONFIGS if isinstance(config, TaskConfig)]
    head = INTRODUCTION.format(
        n=len(tasks),
        paper=sum(task.paper_name is not None for task in tasks),
        labels=sum(task.target == "multilabel" for task in tasks),
        explained=EXPLAINED,
    )
    return "\n".join(
        [head, *(line for builder in BUILDERS for line in _section(builder.SOURCE, builder.BUILDER_CONFIGS))]
    )


def _section(source: Source, configs: list[TaskConfig]) -> Iterator[str]:
    tasks = [config for config in configs if isinstance(config, TaskConfig)]
    if not tasks:
        return
    terms = f"[{source.license}]({source.license_url})" if source.license_url else source.license
    kept = "" if source.redistributable else "; rows are not redistributed"
    yield f"## {source.title}\n"
    yield f"[{source.title}]({source.homepage}), version {source.version}, licence {terms}{kept}. {source.citation}\n"
    if source.releases:
        yield f"Releases that are read: {source.releases}.\n"
    if tasks[0].entity == "sequence":
        yield "Files below the data directory: see [DNA sequences](geneb.md).\n"
    else:
        places = ", ".join(f"`{source.name}/{file.names[0]}`" for file in source.files.values())
        yield f"Files below the data directory: {places}.\n"
    yield "| task | target | entity | family | what a label says | in the paper | n there |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for task in tasks:
        family = (
            task.family if task.figure2_family == task.family else f"{task.family} ({task.figure2_family} in Figure 2)"
        )
        size = "" if task.paper_size is None else f"{task.paper_size:,}"
        name = f"`{task.name}`" + ("" if task.ranked else " *") + (" ‡" if task.on_request else "")
        cells = (name, task.target, task.entity, family, task.description, task.paper_name or "", size)
        yield f"| {' | '.join(cells)} |"
    yield ""
    told = [_origin(task) for task in tasks if task.made_by]
    yield from [*told, ""] if told else []


def _origin(task: TaskConfig) -> str:
    """Who made the labels of a task, what biases them, and the score of that bias alone."""
    line = f"- `{task.name}` was made by {task.made_by}. Bias: {task.bias}."
    figures = _figures().get(task.name)
    if figures is None:
        return line
    controls = f"publication counts alone {figures['publications']}, family lookup {figures['family lookup']}"
    flag = f" **Explained by {figures['explained_by']}.**" if figures["explained_by"] else ""
    best = f"best model {figures['best']} ({figures['best_model']})"
    return f"{line} {figures['metric']}: {controls}, {best}.{flag}"


@cache
def _figures() -> dict[str, dict[str, str]]:
    """Task -> its figures in the run of docs/extended.md."""
    text = files("gene_eval.documentation").joinpath("extended.tsv").read_text(encoding="utf-8")
    return {row["task"]: row for row in csv.DictReader(text.splitlines(), delimiter="\t")}


def models_markdown() -> str:
    """The page: the paper's models, what sequences need, and one row per adapter."""
    template = files("gene_eval.documentation").joinpath("models.md").read_text(encoding="utf-8")
    adapters = [
        (f"`{name}`", info.family, info.input, info.dimension, f"`{info.usage}`") for name, info in describe().items()
    ]
    return Template(template).substitute(
        sequences="\n".join(_row(cells) for cells in _sequences()),
        presets="\n".join(_row(cells) for cells in _dna_models()),
        formats="\n".join(_row(cells) for cells in formats_table()),
        adapters="\n".join(_row(cells) for cells in adapters),
    )


def _sequences() -> Iterator[tuple[str, ...]]:
    for column, source, key, which in (
        (
            "protein_sequence",
            UNIPROT,
            "proteins",
            "that of HGNC's first accession, else the longest that names the gene",
        ),
        (
            "dna_sequence",
            ENSEMBL,
            "transcripts",
            "the longest transcript; coding sequences (cds) before whole ones (cdna)",
        ),
    ):
        names = ", ".join(f"`{source.name}/{name}`" for name in source.files[key].names)
        yield f"`{column}`", names, f"[{source.title}]({source.homepage})", which


def _dna_models() -> Iterator[tuple[str, ...]]:
    for preset in PRESETS:
        size = f"{preset.millions / 1000:g}B" if preset.millions >= 1000 else f"{preset.millions}M"
        made = not preset.runs_code and preset.architecture in MADE_ON_THE_SPOT
        yield (
            preset.title,
            f"`{preset.command}`",
            f"{preset.architecture}{', own code' if preset.runs_code else ''}; {preset.tokens}",
            f"{size}, {preset.dim:,}",
            f"[{preset.hub_id}](https://huggingface.co/{preset.hub_id}) `{preset.revision[:7]}`",
            "never seen; class made on the spot" if made else "never seen",
        )
    for title, reason in NOT_LOADED.items():
        yield title, "`FILE`, the vectors", "", "", "", f"never seen; not loaded: {reason}"


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


PAGES = {"tasks": tasks_markdown, "models": models_markdown}

if __name__ == "__main__":
    print(PAGES[sys.argv[1]](), end="")
