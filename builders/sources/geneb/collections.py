"""The collections that the tasks are from, and where files are: in GENEB's dataset, or in the collection's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from builders.raw_files import RawFile, Source
from builders.sources.geneb.table import ROWS, Row

__all__ = ["COLLECTIONS", "GENEB", "GENOMES", "Collection", "class_names", "genome_of", "task_name", "upstream_id"]

PARTS = ("train", "validation", "test")
REVISION = "4edd705be573e48c585c2cf79dc320f9f43c7b04"
_HUB = "https://huggingface.co/datasets"
_ENDS = ("", ".gz")


@dataclass(frozen=True)
class Collection:
    """A publication of labelled sequences.

    Args:
        prefix: Of the names of its tasks in GENEB.
        short: Of the names of its tasks here.
        source: Its terms, and where its files are: in `source.files`, what `holds` says under `<key>/<what>`.
        holds: Key of a task -> what its files hold, such as "train"; nothing where the layout is not known.
    """

    prefix: str
    short: str
    source: Source
    holds: Mapping[str, tuple[str, ...]]


_NT_CITATION = (
    "Dalla-Torre H et al. Nucleotide Transformer: building and evaluating robust foundation models for human genomics."
    " Nat Methods. 2025;22:287-297."
)


def task_name(row: Row) -> str:
    """Id of a task.

    >>> task_name(Row("gue", "human_tf_0", "human", 2, (None, None, None)))
    'geneb_gue_human_tf_0'
    """
    key = re.sub(r"[^a-z0-9]+", "_", row.key.lower())
    return f"geneb_{COLLECTIONS[row.collection].short}_{key}"


def upstream_id(row: Row) -> str:
    """Name of a task in GENEB.

    >>> upstream_id(Row("gue", "human_tf_0", "human", 2, (None, None, None)))
    'leannmlindsey_GUE_human_tf_0'
    """
    return COLLECTIONS[row.collection].prefix + row.key


def _packed(*names: str) -> tuple[str, ...]:
    return tuple(name + end for name in names for end in _ENDS)


def _gue(key: str) -> Iterator[tuple[str, RawFile]]:
    path = re.sub(r"^emp_", "EMP/", key)
    path = re.sub(r"^(human_)?(tf|mouse)_", r"\2/", path)
    path = re.sub(r"^prom_", "prom/prom_", path).replace("splice_", "splice/").replace("virus_covid", "virus/covid")
    for part, name in zip(PARTS, ("train", "dev", "test"), strict=True):
        names = _packed(f"{path}/{name}.csv", f"GUE/{path}/{name}.csv")
        url = f"{_HUB}/leannmlindsey/GUE/resolve/main/GUE/{path}/{name}.csv"
        yield part, RawFile(names, url=url, optional=part == "validation")


def _nucleotide_transformer(key: str) -> Iterator[tuple[str, RawFile]]:
    for part in ("train", "test"):
        names = _packed(f"{key}/{part}.fna", f"{key}/{part}.fasta")
        names += (f"{key}/{part}.parquet", f"{key}/{part}-00000-of-00001.parquet")
        # One table of all tasks, with their names in a column.
        names += (f"data/{part}-00000-of-00001.parquet", f"{part}.parquet", *_packed(f"{part}.tsv"))
        yield part, RawFile(names, url=None)


def _plant_genomic_benchmark(key: str) -> Iterator[tuple[str, RawFile]]:
    path = key.replace(".", "/", 1)
    for part, name in zip(PARTS, ("train", "valid", "test"), strict=True):
        yield part, RawFile(_packed(f"{path}_{name}.fa"), url=None, optional=part == "validation")


_IPRO = "https://raw.githubusercontent.com/HaoWuLab-Bioinformatics/iPro-WAEL/main/data"
_IPRO_WHOLE = {
    "Arabidopsis_TATA": ("Arabidopsis TATA", {"1": "Arabidopsis_tata.fasta", "0": "Arabidopsis_non_prom.fasta"}),
    "Arabidopsis_NonTATA": ("Arabidopsis nonTATA", {"halves": "data.fasta"}),
    "B_amyloliquefaciens": ("B.amyloliquefaciens", {"all": "data.fasta", "all_labels": "y.txt"}),
    "R_capsulatus": ("R.capsulatus", {"all": "data.fasta", "all_labels": "y.txt"}),
}


def _ipro_wael(key: str) -> Iterator[tuple[str, RawFile]]:
    cell_line = {"train": "train/data.fasta", "train_labels": "train/y_train.txt"}
    cell_line |= {"test": "test/data.fasta", "test_labels": "test/y_test.txt"}
    folder, files = _IPRO_WHOLE.get(key, (key.replace("Hela", "HeLa"), cell_line))
    for what, name in files.items():
        yield what, RawFile(_packed(f"{folder}/{name}"), url=f"{_IPRO}/{folder}/{name}".replace(" ", "%20"))


def _idna_abf(key: str) -> Iterator[tuple[str, RawFile]]:
    # By its size, what GENEB calls 5mC is the collection's 5hmC set of human; there is no other.
    kind = {"5mC": "5hmC"}.get(key, key)
    path = f"tsv/{kind}/{kind}_H.sapiens"
    for part in ("train", "test"):
        url = f"https://raw.githubusercontent.com/FakeEnd/iDNA_ABF/main/data/DNA_MS/{path}/{part}.tsv"
        yield part, RawFile(_packed(f"{path}/{part}.tsv"), url=url)


def _idhs_el(key: str) -> Iterator[tuple[str, RawFile]]:
    yield "all", RawFile(_packed("Data-S1.txt"), url=None)


CLASSES = {
    "demo_coding_vs_intergenomic_seqs": ("coding_seqs", "intergenomic_seqs"),
    "demo_human_or_worm": ("human", "worm"),
    "human_ensembl_regulatory": ("enhancer", "ocr", "promoter"),
}
"""Classes of Genomic Benchmarks that are not negative and positive, in the order of their numbers."""
GENOMES = {
    "human": "Homo_sapiens.GRCh38.dna.toplevel.fa",
    "worm": "Caenorhabditis_elegans.WBcel235.dna.toplevel.fa",
    "fly": "Drosophila_melanogaster.BDGP6.28.dna.toplevel.fa",
    "mouse": "Mus_musculus.GRCm38.dna.toplevel.fa",
    "coding_seqs": "Homo_sapiens.GRCh38.cdna.all.fa",
}
"""Genome of a class of Genomic Benchmarks, or of a species, as the collection's `metadata.yaml` names it."""


def genome_of(key: str, name: str) -> str:
    """File of the genome that holds the sequences of a class of a set of Genomic Benchmarks.

    >>> genome_of("drosophila_enhancers_stark", "positive")
    'Drosophila_melanogaster.BDGP6.28.dna.toplevel.fa'
    """
    species = {"drosophila_enhancers_stark": "fly", "dummy_mouse_enhancers_ensembl": "mouse"}.get(key, "human")
    return GENOMES.get(name, GENOMES[species])


def class_names(key: str) -> tuple[str, ...]:
    """Classes of a set of Genomic Benchmarks, in the order of their numbers."""
    return CLASSES.get(key, ("negative", "positive"))


def _genomic_benchmarks(key: str) -> Iterator[tuple[str, RawFile]]:
    url = "https://github.com/ML-Bioinfo-CEITEC/genomic_benchmarks/raw/main/datasets"
    for part in ("train", "test"):
        for name in class_names(key):
            path = f"{key}/{part}/{name}"
            yield f"{part}/{name}", RawFile((path, *_packed(f"{path}.csv")), url=f"{url}/{path}.csv.gz")


def _no_files(key: str) -> Iterator[tuple[str, RawFile]]:
    yield from ()


def _collection(
    prefix: str, short: str, name: str, layout: Callable[[str], Iterator[tuple[str, RawFile]]], **about: str
) -> Collection:
    keys = [row.key for rows in ROWS.values() for row in rows if row.collection == name]
    files = {f"{key}/{what}": file for key in keys for what, file in layout(key)}
    holds = {key: tuple(what for what, _ in layout(key)) for key in keys}
    if name == "genomic_benchmarks":
        genomes = dict.fromkeys(GENOMES.values())
        files |= {each: RawFile((f"genomes/{each}", each), url=None, optional=True) for each in genomes}
    is_open = about.get("license", "unknown") == "Apache-2.0"
    folder = about.pop("folder", name)
    return Collection(prefix, short, Source(name=folder, files=files, redistributable=is_open, **about), holds)


COLLECTIONS: dict[str, Collection] = {
    "gue": _collection(
        "leannmlindsey_GUE_",
        "gue",
        "gue",
        _gue,
        title="Genome Understanding Evaluation",
        homepage="https://github.com/MAGICS-LAB/DNABERT_2",
        license="Apache-2.0",
        license_url="https://github.com/MAGICS-LAB/DNABERT_2",
        citation=(
            "Zhou Z et al. DNABERT-2: efficient foundation model and benchmark for multi-species genome. ICLR 2024."
        ),
    ),
    "nucleotide_transformer": _collection(
        "InstaDeepAI_nucleotide_transformer_downstream_tasks_",
        "nt",
        "nucleotide_transformer",
        _nucleotide_transformer,
        title="Nucleotide Transformer downstream tasks",
        homepage=f"{_HUB}/InstaDeepAI/nucleotide_transformer_downstream_tasks",
        citation=_NT_CITATION,
    ),
    "nucleotide_transformer_revised": _collection(
        "InstaDeepAI_nucleotide_transformer_downstream_tasks_revised_",
        "nt_revised",
        "nucleotide_transformer_revised",
        _nucleotide_transformer,
        title="Nucleotide Transformer downstream tasks, revised",
        homepage=f"{_HUB}/InstaDeepAI/nucleotide_transformer_downstream_tasks_revised",
        citation=_NT_CITATION,
    ),
    "plant_genomic_benchmark": _collection(
        "InstaDeepAI_plant-genomic-benchmark_",
        "pgb",
        "plant_genomic_benchmark",
        _plant_genomic_benchmark,
        title="Plants Genomic Benchmark",
        homepage=f"{_HUB}/InstaDeepAI/plant-genomic-benchmark",
        citation=(
            "Mendoza-Revilla J et al. A foundational large language model for edible plant genomes."
            " Commun Biol. 2024;7:835."
        ),
    ),
    "ipro_wael": _collection(
        "iPro-WAEL_Promoter_",
        "ipro_wael",
        "ipro_wael",
        _ipro_wael,
        title="iPro-WAEL",
        homepage="https://github.com/HaoWuLab-Bioinformatics/iPro-WAEL",
        citation=(
            "Zhang P, Zhang H, Wu H. iPro-WAEL: a comprehensive and robust framework for identifying promoters in"
            " multiple species. Nucleic Acids Res. 2022;50(18):10278-10289."
        ),
    ),
    "genomic_benchmarks": _collection(
        "katarinagresova_Genomic_Benchmarks_",
        "gb",
        "genomic_benchmarks",
        _genomic_benchmarks,
        title="Genomic Benchmarks",
        homepage="https://github.com/ML-Bioinfo-CEITEC/genomic_benchmarks",
        license="Apache-2.0",
        license_url="https://github.com/ML-Bioinfo-CEITEC/genomic_benchmarks/blob/main/LICENSE",
        citation=(
            "Gresova K et al. Genomic benchmarks: a collection of datasets for genomic sequence classification."
            " BMC Genom Data. 2023;24:25."
        ),
    ),
    "deep4mc": _collection(
        "deep4mc_",
        "deep4mc",
        "deep4mc",
        _no_files,
        title="Deep4mC",
        homepage="https://bioinfo.uth.edu/Deep4mC/",
        citation=(
            "Xu H, Jia P, Zhao Z. Deep4mC: systematic assessment and computational prediction for DNA N4-methylcytosine"
            " sites by deep learning. Brief Bioinform. 2021;22(3):bbaa099."
        ),
    ),
    "idna_abf": _collection(
        "iDNA_ABF_",
        "idna_abf",
        "idna_abf",
        _idna_abf,
        title="iDNA-ABF",
        homepage="https://github.com/FakeEnd/iDNA_ABF",
        citation=(
            "Jin J et al. iDNA-ABF: multi-scale deep biological language learning model for the interpretable"
            " prediction of DNA methylations. Genome Biol. 2022;23:219."
        ),
    ),
    "idhs_el": _collection(
        "iDHS-EL_",
        "idhs_el",
        "idhs_el",
        _idhs_el,
        folder="dhs",
        title="iDHS-EL",
        homepage="https://github.com/Xtian-696/iDHS-DXG",
        citation=(
            "Liu B, Long R, Chou KC. iDHS-EL: identifying DNase I hypersensitive sites by fusing three different modes"
            " of pseudo nucleotide composition into an ensemble learning framework. Bioinformatics. 2016;32:2411-2418."
        ),
    ),
}


def _geneb_files() -> Iterator[tuple[str, RawFile]]:
    for rows in ROWS.values():
        for row in rows:
            name = upstream_id(row)
            for part in ("train", "test"):
                path = f"tasks/{name}/{part}.csv"
                url = f"{_HUB}/darlednik/geneb-tasks/resolve/{REVISION}/{path}"
                yield f"{name}/{part}", RawFile(_packed(path), url=url)
            yield f"{name}/all", RawFile(_packed(f"{name}.csv"), url=None)


GENEB = Source(
    name="geneb",
    title="GENEB",
    homepage=f"{_HUB}/darlednik/geneb-tasks",
    version=REVISION[:7],
    releases="the dataset of 2026 at this commit, and the files of its collections",
    license="Apache-2.0",
    license_url=f"{_HUB}/darlednik/geneb-tasks",
    redistributable=True,
    citation="GENEB: a benchmark of genomic foundation models on 100 DNA sequence tasks. ICML 2026. arXiv:2606.04525.",
    files=dict(_geneb_files()),
)
"""The benchmark's own dataset: `tasks/<name>/{train,test}.csv`, or as its download tool flattens it, `<name>.csv`."""
