"""The 100 tasks: their names and categories, and the real files against published sizes and counts of repeats."""

from collections import Counter

import pytest

from builders import RawFiles, TaskConfig, configs, load, select
from builders.sequences.repeats import audit_parts, overlaps
from builders.sources.geneb.builder import GenebBuilder
from builders.sources.geneb.collections import COLLECTIONS
from builders.sources.geneb.layouts import read_gue

TASKS = [config for config in GenebBuilder.BUILDER_CONFIGS if isinstance(config, TaskConfig)]


def test_a_hundred_tasks_in_thirteen_categories():
    assert len(select(["geneb_*"])) == len({task.upstream_id for task in TASKS}) == 100
    assert Counter(task.category for task in TASKS) == {
        "histone_modification": 30,
        "promoter": 22,
        "enhancer": 8,
        "dna_methylation": 8,
        "splice_site": 7,
        "lncrna": 6,
        "mouse_enhancer": 5,
        "tf_binding": 5,
        "species": 3,
        "regulatory": 2,
        "virus_phage": 2,
        "coding": 1,
        "chromatin_accessibility": 1,
    }
    task = configs()["geneb_pgb_lncrna_g_max"]
    assert (task.collection, task.upstream_id) == (
        "plant_genomic_benchmark",
        "InstaDeepAI_plant-genomic-benchmark_lncrna.g_max",
    )
    assert Counter(task.target for task in TASKS) == {"binary": 91, "multiclass": 9}
    assert [task.name for task in TASKS if task.ranked] == []


@pytest.mark.parametrize(
    ("collection", "key", "name"),
    [
        ("gue", "emp_H3K4me3/train", "EMP/H3K4me3/train.csv"),
        ("gue", "human_tf_3/validation", "tf/3/dev.csv"),
        ("gue", "prom_core_notata/test", "prom/prom_core_notata/test.csv"),
        ("gue", "splice_reconstructed/test", "splice/reconstructed/test.csv"),
        ("gue", "virus_covid/test", "virus/covid/test.csv"),
        ("gue", "virus_species_40/test", "virus_species_40/test.csv"),
        ("plant_genomic_benchmark", "pro_seq.m_esculenta/validation", "pro_seq/m_esculenta_valid.fa"),
        ("ipro_wael", "R_capsulatus/all_labels", "R.capsulatus/y.txt"),
        ("genomic_benchmarks", "human_ensembl_regulatory/train/ocr", "human_ensembl_regulatory/train/ocr"),
    ],
)
def test_files_of_collections(collection, key, name):
    assert COLLECTIONS[collection].source.files[key].names[0] == name


def test_a_run_that_names_no_task_does_not_ask_for_them():
    assert [name for name in select([], sequences=False) if name.startswith("geneb_")] == []


COMPLETE = {
    **{f"gue_human_tf_{i}": (n, 1000, 1000) for i, n in ((0, 32378), (1, 30672), (2, 19000), (4, 19000))},
    **{f"gue_mouse_{i}": (n, m, m) for i, n, m in ((0, 6478, 810), (2, 2620, 328), (4, 15064, 1883))},
    "gue_prom_core_tata": (4904, 613, 613),
    "gue_prom_300_tata": (4904, 613, 613),
    "idna_abf_5mc": (2344, 0, 2344),
    "ipro_wael_arabidopsis_tata": (3063, 0, 1313),
    "ipro_wael_arabidopsis_nontata": (8267, 0, 3543),
    "ipro_wael_b_amyloliquefaciens": (1483, 0, 636),
    "idhs_el_dnase_i": (711, 0, 306),
}


@pytest.fixture(scope="module")
def audits(raw_dir, tmp_path_factory):
    raw, cache = RawFiles(raw_dir), tmp_path_factory.mktemp("cache")
    return {name: load(f"geneb_{name}", raw, cache_dir=cache).audit for name in COMPLETE}


@pytest.mark.real_data
def test_sizes_of_the_real_files_are_the_published_ones(audits):
    for name, audit in audits.items():
        sizes = tuple(audit.parts.get(part, {"rows": 0})["rows"] for part in ("train", "validation", "test"))
        assert sizes == COMPLETE[name]
        assert [note for note in audit.notes if "expected" in note] == []
    assert audits["idhs_el_dnase_i"].parts["test"]["labels"] == {"0": 222, "1": 84}


@pytest.mark.real_data
def test_repeats_of_the_real_files(audits):
    train = {name: audit.parts["train"] for name, audit in audits.items()}
    assert {name: part["repeats"] for name, part in train.items() if name.startswith("gue") and part["repeats"]} == {
        "gue_human_tf_0": 8,
        "gue_human_tf_2": 185,
        "gue_human_tf_4": 3789,
        "gue_prom_core_tata": 57,
        "gue_prom_300_tata": 56,
    }
    assert (train["gue_prom_core_tata"]["both_labels"], train["gue_prom_300_tata"]["both_labels"]) == (12, 10)
    in_train = {name: audits[name].parts["test"]["in"]["train"] for name in audits}
    assert in_train["gue_human_tf_1"] == {"exact": 1, "other_strand": 1, "other_label": 0}
    assert in_train["gue_prom_core_tata"] == {"exact": 16, "other_strand": 0, "other_label": 1}
    assert audits["gue_human_tf_4"].parts["validation"]["in"]["train"]["exact"] == 358
    assert {part["length"][1] for part in audits["idhs_el_dnase_i"].parts.values()} == {275}


@pytest.mark.real_data
def test_parts_without_train_and_tasks_that_share_sequences(raw_dir):
    folder = raw_dir / "gue"
    ac = read_gue(
        {part: folder / f"EMP/H4ac/{name}.csv.gz" for part, name in (("validation", "dev"), ("test", "test"))}, ""
    )
    assert audit_parts(ac)["validation"]["length"] == [449, 500]
    tasks = {}
    for name in ("tf/0", "tf/1"):
        rows = read_gue(
            {
                "train": folder / name / "train.csv",
                "validation": folder / name / "dev.csv",
                "test": folder / name / "test.csv",
            },
            "",
        )
        tasks[name] = {part: each["sequence"] for part, each in rows.groupby("split")}
    (shared,) = overlaps(tasks)
    assert (shared.shared, shared.is_contained) == (192, False)
