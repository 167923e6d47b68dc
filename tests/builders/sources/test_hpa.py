"""The fixture has v23's 89 columns and real gene ids; which label a gene has is made up."""

import gzip
import json
import shutil
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from builders import RawFiles, base, cached, load
from builders.errors import MissingFileError, SourceFormatError
from builders.readers.tables import read_table
from builders.sources.hpa import releases
from builders.sources.hpa.builder import HpaBuilder
from builders.sources.hpa.tasks import TASKS

HPA_TABLE = "hpa/proteinatlas.tsv"
# One gene, one cell of each shape: task -> (gene as HPA names it, label).
CELLS = {
    "hpa_chromosome": ("ALB", "4"),
    "hpa_protein_class": ("TP53", ("Cancer-related genes", "Human disease related genes", "Transcription factors")),
    "hpa_subcellular_location": ("GAPDH", ("Cytosol", "Nuclear membrane", "Plasma membrane")),
    "hpa_biological_process": ("TP53", ("Apoptosis", "Cell cycle", "Transcription", "Transcription regulation")),
    "hpa_molecular_function": ("EGFR", ("Kinase", "Serine/threonine-protein kinase", "Transferase")),
    "hpa_disease_involvement": ("EGFR", ("Cancer-related genes", "Proto-oncogene")),
    "hpa_rna_tissue_cell_type_enrichment": ("TP53", ("Skin - Keratinocyte (granular)", "Testis - Spermatogonia")),
    "hpa_secretome_location": ("MARCH1", "Secreted - unknown location"),
    "hpa_secretome_function": ("INS", "Hormone"),
    "hpa_ccd_protein": ("TP53", "ccd"),
    "hpa_ccd_transcript": ("TP53", "not_ccd"),
    "hpa_interactions": ("TP53", 135.0),
    "hpa_blood_concentration_im": ("ALB", 4e13),
    "hpa_blood_expression_cluster": ("ALB", "Cluster 25: Monocytes - Inflammatory response"),
    "hpa_cell_line_expression_cluster": ("ALB", "Cluster 37: Hep G2 - Hepatocyte cell processes"),
    "hpa_single_cell_expression_cluster": ("ALB", "Cluster 8: Neurons & Oligodendrocytes - Synaptic function"),
    "hpa_rna_blood_cell_specificity": ("SEPT2", "Not detected in immune cells"),
    "hpa_rna_tissue_distribution": ("HBB", "Detected in many"),
    "hpa_rna_cancer_specificity_score": ("SOX2", 142.0),
    "hpa_pathology_breast_cancer": ("TP53", "prognostic favorable"),
    "hpa_pathology_head_and_neck_cancer": ("INS", "unprognostic"),
    "hpa_pathology_glioma": ("MYC", "prognostic unfavorable"),
}


@pytest.fixture
def hpa_dir(repo: Path) -> Path:
    return repo / "tests" / "data" / "hpa"


@pytest.fixture
def copied(hpa_dir: Path, tmp_path: Path) -> Path:
    shutil.copytree(hpa_dir, tmp_path / "data")
    return tmp_path / "data"


def builder(name: str, data_dir: Path, tmp_path: Path) -> HpaBuilder:
    return HpaBuilder(name, data_dir=data_dir, cache_dir=tmp_path / "cache")


def labels(name: str, data_dir: Path, tmp_path: Path) -> dict[str, object]:
    made = builder(name, data_dir, tmp_path)
    rows = made.rows(made.config)
    return dict(zip(rows["symbol_alt"], rows["label"], strict=True))


def edit(data_dir: Path, old: str, new: str) -> None:
    path = data_dir / HPA_TABLE
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_every_target_of_the_source_is_there() -> None:
    assert Counter(task.target for task in TASKS) == {"multiclass": 43, "regression": 9, "multilabel": 6, "binary": 3}
    assert len({task.name for task in TASKS}) == len({task.column for task in TASKS}) == 61


def test_v23_has_a_column_for_every_task(hpa_dir: Path) -> None:
    header = (hpa_dir / HPA_TABLE).read_text(encoding="utf-8").partition("\n")[0].split("\t")
    assert [task.name for task in TASKS if task.column not in header] == []


@pytest.mark.parametrize("name", CELLS)
def test_cell(name: str, hpa_dir: Path, tmp_path: Path) -> None:
    gene, label = CELLS[name]
    assert labels(name, hpa_dir, tmp_path)[gene] == label


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("hpa_chromosome", {"SEPT2"}),  # Unmapped
        ("hpa_ccd_transcript", {"ALB", "INS", "SEPT2", "NOVELG1"}),  # NA
        ("hpa_rna_mouse_brain_regional_specificity", {"INS"}),  # empty
    ],
)
def test_what_was_not_measured_is_no_class(name: str, absent: set[str], hpa_dir: Path, tmp_path: Path) -> None:
    found = labels(name, hpa_dir, tmp_path)
    everyone = labels("hpa_rna_tissue_specificity", hpa_dir, tmp_path)
    assert everyone.keys() - found.keys() == absent
    assert {"", "NA", "nan", "Unmapped"}.isdisjoint(found.values())


def test_genes_are_told_by_ensembl_id_then_by_name_and_nameless_ones_are_left_out(
    hpa_dir: Path, tmp_path: Path
) -> None:
    built = load("hpa_interactions", RawFiles(hpa_dir), cache_dir=tmp_path)
    values = dict(zip(built.dataset["symbol"], built.dataset["label"], strict=True))
    assert values["MARCHF1"] == 1.0
    assert "TTN" not in values
    built = load("hpa_rna_tissue_distribution", RawFiles(hpa_dir), cache_dir=tmp_path)
    # SEPT2 stands beside an Ensembl id that HGNC does not know; the class of its own goes under the rule of five.
    assert built.audit.samples["changed"] == ["SEPT2 -> SEPTIN2"]
    assert built.audit.labels_dropped == {"Not detected": 1}
    assert built.audit.samples["unmapped"] == ["ENSG00000000001"]
    assert built.audit.notes == ["left out, as their gene name is an Ensembl id: 1 rows"]
    assert len(built.dataset) == 12


def test_all_tasks_build_from_one_reading(hpa_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    for module in (base, releases):
        monkeypatch.setattr(
            module, "read_table", lambda path, *args, **options: read.append(path) or read_table(path, *args, **options)
        )
    raw = RawFiles(hpa_dir)
    # No chromosome has five of these genes, nor has the plasma membrane.
    names = [task.name for task in TASKS if task.name not in ("hpa_chromosome", "hpa_plasma_membrane")]
    sizes = {name: len(load(name, raw, cache_dir=tmp_path).dataset) for name in names}
    assert sorted(read) == [hpa_dir / "hgnc/hgnc_complete_set.txt", hpa_dir / HPA_TABLE]
    assert sizes["hpa_protein_class"] == 13
    assert sizes["hpa_ccd_protein"] == sizes["hpa_pathology_liver_cancer"] == 10
    assert sizes["hpa_secretome_function"] == 10


def test_binary_positive_is_the_cell_cycle_dependent_one(hpa_dir: Path, tmp_path: Path) -> None:
    built = load("hpa_ccd_protein", RawFiles(hpa_dir), cache_dir=tmp_path)
    assert built.dataset.features["label"].names == ["not_ccd", "ccd"]
    assert dict(zip(built.dataset["symbol"], built.dataset["label"], strict=True))["TP53"] == 1


@pytest.mark.parametrize("name", ["hpa_pathology_breast_cancer", "hpa_subcellular_location"])
@pytest.mark.parametrize("atlas", ["absent", "without the column"])
def test_topic_file_gives_the_labels_of_the_main_table(name: str, atlas: str, copied: Path, tmp_path: Path) -> None:
    wanted = labels(name, copied, tmp_path)
    for path in (copied / "topics").iterdir():
        shutil.copy(path, copied / "hpa" / path.name)
    if atlas == "absent":
        (copied / HPA_TABLE).unlink()
    else:
        edit(copied, "Pathology prognostics - Breast cancer", "Other")
        edit(copied, "Subcellular location", "Location")
    made = builder(name, copied, tmp_path)
    rows = made.rows(made.config)
    found = dict(zip(rows["symbol_alt"], rows["label"], strict=True))
    if name == "hpa_subcellular_location":
        found, wanted = ({gene: set(cell) for gene, cell in cells.items()} for cells in (found, wanted))
    assert found == wanted
    assert [file for file in made.audit.inputs if file.startswith("hpa/")] == [
        "hpa/pathology.tsv" if "pathology" in name else "hpa/subcellular_location.tsv"
    ]
    assert made.audit.notes[0].startswith("labels are from ")


def test_main_table_is_preferred(copied: Path, tmp_path: Path) -> None:
    shutil.copy(copied / "topics" / "pathology.tsv", copied / "hpa")
    assert list(builder("hpa_pathology_breast_cancer", copied, tmp_path).audit.inputs)[0] == HPA_TABLE


def test_british_spelling_of_early_versions(copied: Path, tmp_path: Path) -> None:
    wanted = labels("hpa_pathology_breast_cancer", copied, tmp_path)
    text = (copied / "topics" / "pathology.tsv").read_text(encoding="utf-8")
    (copied / "hpa" / "pathology.tsv").write_text(text.replace("favorable", "favourable"), encoding="utf-8")
    (copied / HPA_TABLE).unlink()
    assert labels("hpa_pathology_breast_cancer", copied, tmp_path) == wanted


TCGA = {
    "Breast cancer": "Breast Invasive Carcinoma",
    "Melanoma": "Skin Cuteneous Melanoma",
    "Liver cancer": "Liver Hepatocellular Carcinoma",
}


def as_of_24(data_dir: Path) -> None:
    """Turn the main table into one of release 24: other columns of prognoses, some with a twin, in other words."""
    path = data_dir / HPA_TABLE
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    words = {"prognostic f": "validated prognostic f", "prognostic u": "potential prognostic u"}
    for cancer, cohort in TCGA.items():
        cells = table.pop(f"Pathology prognostics - {cancer}").str.replace("un", "UN", regex=False)
        for old, new in words.items():
            cells = cells.str.replace(rf"\b{old}", new, regex=True)
        table[f"Cancer prognostics - {cohort} (TCGA)"] = cells.str.replace("UN", "un", regex=False)
        table[f"Cancer prognostics - {cohort} (validation)"] = "unprognostic (0.5)"
    table = table[[name for name in table if not name.startswith("Pathology")]]
    table.to_csv(path, sep="\t", index=False)


@pytest.mark.parametrize("cancer", TCGA)
def test_prognoses_of_24_are_another_version_of_the_task(cancer: str, copied: Path, tmp_path: Path) -> None:
    name = f"hpa_pathology_{cancer.lower().replace(' ', '_')}"
    wanted = labels(name, copied, tmp_path)
    assert builder(name, copied, tmp_path).config.version == HpaBuilder.builder_configs[name].version != "2.0.0"
    as_of_24(copied)
    made = builder(name, copied, tmp_path)
    rows = made.rows(made.config)
    assert dict(zip(rows["symbol_alt"], rows["label"], strict=True)) == wanted
    assert (made.config.version, made.cache_dir.parent.name) == ("2.0.0", "2.0.0")
    column = f"version 2.0.0, from the column 'Cancer prognostics - {TCGA[cancer]} (TCGA)': "
    assert made.audit.notes[0].startswith(column)
    built = load(name, RawFiles(copied), cache_dir=tmp_path / "built")
    assert built.config.version == "2.0.0"
    # Without the files, the build is found by its own version.
    found = cached(name, cache_dir=tmp_path / "built")
    assert found is not None
    assert (found.config.version, found.dataset["label"]) == ("2.0.0", built.dataset["label"])


def test_a_cancer_that_24_cut_into_several(copied: Path, tmp_path: Path) -> None:
    as_of_24(copied)
    with pytest.raises(
        SourceFormatError,
        match=r"no column 'Pathology prognostics - Lung cancer' in this version, which looks like 24, whose .*; from"
        r" release 24 on lung cancer is cut into Lung Adenocarcinoma and Lung Squamous Cell Carcinoma; get version 23",
    ):
        labels("hpa_pathology_lung_cancer", copied, tmp_path)


@pytest.mark.parametrize(
    ("sign", "release"),
    [
        ("RNA single cell type specific nCPM", "25"),
        ("Cancer prognostics - Breast Invasive Carcinoma (TCGA)", "24"),
        ("RNA tissue cell type enrichment", "23"),
        ("RNA tissue specific nTPM", "21 or 22"),
        ("RNA tissue specific NX", "19 or 20"),
        ("RNA tissue category", "16 to 18"),
    ],
)
def test_release_of_a_table(sign: str, release: str) -> None:
    assert releases.release_of(["Gene", "Ensembl", sign]) == release
    assert releases.release_of(["Gene", "Ensembl"]) == ""


def test_columns_that_25_renamed_do_not_matter(copied: Path, tmp_path: Path) -> None:
    wanted = labels("hpa_rna_single_cell_type_specificity", copied, tmp_path)
    edit(copied, "RNA single cell type specific nTPM", "RNA single cell type specific nCPM")
    assert labels("hpa_rna_single_cell_type_specificity", copied, tmp_path) == wanted


def test_categories_of_18_are_another_version_of_the_task(copied: Path, tmp_path: Path) -> None:
    edit(copied, "RNA tissue specificity\t", "RNA tissue category\t")
    made = builder("hpa_rna_tissue_specificity", copied, tmp_path)
    rows = made.rows(made.config)
    assert (len(rows), made.config.version) == (14, "0.1.0")
    assert made.audit.notes[0].startswith(
        "version 0.1.0, from the column 'RNA tissue category': categories of releases"
    )


def as_json(data_dir: Path) -> None:
    """Write the main table as HPA's JSON: lists, numbers, objects for prognoses, null for what is empty."""
    path = data_dir / HPA_TABLE
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    records = []
    for row in table.to_dict("records"):
        record: dict[str, object] = {name: cell or None for name, cell in row.items()}
        for name in ("Subcellular location", "Protein class", "Biological process"):
            record[name] = [part.strip() for part in row[name].split(",")] if row[name] else None
        if row["Interactions"].isdigit():
            record["Interactions"] = int(row["Interactions"])
        for name in (name for name in row if name.startswith("Pathology") and row[name]):
            word, _, p_value = row[name].partition(" (")
            prognostic, _, kind = word.partition(" ")
            record[name] = {
                "prognostic type": kind, "is_prognostic": prognostic == "prognostic", "p_val": p_value.rstrip(")")
            }  # fmt: skip
        records.append(record)
    path.unlink()
    path.with_name("proteinatlas.json.gz").write_bytes(gzip.compress(json.dumps(records).encode()))


@pytest.mark.parametrize("name", CELLS)
def test_json_gives_the_labels_of_the_table(name: str, copied: Path, tmp_path: Path) -> None:
    wanted = labels(name, copied, tmp_path)
    as_json(copied)
    assert labels(name, copied, tmp_path) == wanted


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"Gene": "TP53"', r"proteinatlas\.json: not JSON, or a half-downloaded file .*; fetch it again"),
        ('{"Gene": "TP53"}', r"proteinatlas\.json: not a list with one object for each gene"),
        ('[{"Gene": "TP53"}]', r"proteinatlas\.json: no column 'Ensembl'; the file has 1 columns: Gene"),
    ],
)
def test_bad_json_is_one_clear_line(content: str, message: str, copied: Path, tmp_path: Path) -> None:
    (copied / HPA_TABLE).with_suffix(".json").write_text(content, encoding="utf-8")
    (copied / HPA_TABLE).unlink()
    with pytest.raises(SourceFormatError, match=message):
        labels("hpa_chromosome", copied, tmp_path)


def test_locations_of_v18_are_separated_by_line_breaks(copied: Path, tmp_path: Path) -> None:
    edit(copied, "Cytosol,Nuclear membrane,Plasma membrane", "Cytosol<br>Nuclear membrane<br>Plasma membrane")
    found = labels("hpa_subcellular_location", copied, tmp_path)
    assert found["GAPDH"] == ("Cytosol", "Nuclear membrane", "Plasma membrane")


@pytest.mark.parametrize(
    ("old", "new", "task", "message"),
    [
        ("Secretome function", "Secretome", "hpa_secretome_function", "no column 'Secretome function' in this version"),
        (
            "Secretome function",
            "Secretome",
            "hpa_secretome_function",
            "whose 89 columns include 'Secretome location', 'Secretome'",
        ),
        ("Pathology prognostics - Glioma", "Glioma", "hpa_pathology_glioma", r"or add pathology\.tsv$"),
        ("Evidence", "Chromosome", "hpa_chromosome", "column 'Chromosome' appears more than once"),
        ("\t135\t", "\tmany\t", "hpa_interactions", "row 2: 'Interactions' is 'many'; expected a number"),
        ("\tYes\tNo\t", "\tMaybe\tNo\t", "hpa_ccd_protein", "row 2: 'CCD Protein' is 'Maybe'; expected Yes or No"),
        ("Ensembl", "Id", "hpa_chromosome", "no column 'Ensembl'"),
    ],
)
def test_bad_table_is_one_clear_line(old: str, new: str, task: str, message: str, copied: Path, tmp_path: Path) -> None:
    edit(copied, old, new)
    with pytest.raises(SourceFormatError, match=message) as caught:
        labels(task, copied, tmp_path)
    assert "proteinatlas.tsv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "breast cancer",
            "cancer of the breast",
            "no row is about breast cancer; the cancers are cancer of the breast",
        ),
        ("unprognostic - favorable", "p", "no column 'unprognostic - favorable'"),
        ("\t3.1e-05\t\t", "\t3.1e-05\t0.1\t", "row 2 has a p-value in more than one of"),
    ],
)
def test_bad_pathology_file_is_one_clear_line(old: str, new: str, message: str, copied: Path, tmp_path: Path) -> None:
    (copied / HPA_TABLE).unlink()
    text = (copied / "topics" / "pathology.tsv").read_text(encoding="utf-8")
    (copied / "hpa" / "pathology.tsv").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(SourceFormatError, match=message):
        labels("hpa_pathology_breast_cancer", copied, tmp_path)


def test_no_file_at_all(copied: Path, tmp_path: Path) -> None:
    (copied / HPA_TABLE).unlink()
    with pytest.raises(
        MissingFileError, match=r"no proteinatlas\.tsv or proteinatlas\.tsv\.zip or .* in .*v23\.proteinatlas"
    ):
        builder("hpa_pathology_glioma", copied, tmp_path)


def real_dir(raw_dir: Path, tmp_path: Path, **files: str) -> Path:
    """A data directory whose HPA files are other versions than the default: name there -> path below `raw_dir/hpa`."""
    (tmp_path / "hpa").mkdir()
    (tmp_path / "hgnc").symlink_to(raw_dir / "hgnc")
    for name, path in files.items():
        (tmp_path / "hpa" / f"{name}.tsv").symlink_to(raw_dir / "hpa" / path)
    return tmp_path


@pytest.mark.real_data
def test_every_task_column_of_v21_parses(raw_dir: Path, tmp_path: Path) -> None:
    data_dir = real_dir(raw_dir, tmp_path, proteinatlas="v21_secreted/proteinatlas.tsv")
    raw, absent, sizes = RawFiles(data_dir), [], {}
    for task in TASKS:
        made = HpaBuilder(task.name, raw=raw, cache_dir=tmp_path / "cache")
        try:
            sizes[task.name] = len(made.rows(task))
        except SourceFormatError as error:
            absent.append((task.column, "in this version" in str(error)))
    assert absent == [
        ("RNA tissue cell type enrichment", True),
        ("Secretome function", True),
        ("Interactions", True),
        ("Brain expression cluster", True),
    ]
    table = pd.read_csv(data_dir / HPA_TABLE, sep="\t", dtype=str, keep_default_na=False)
    filled = {task.name: int((table[task.column] != "").sum()) for task in TASKS if task.name in sizes}
    assert sizes == filled | {"hpa_chromosome": 2791}
    assert sizes["hpa_ccd_protein"] == 101


@pytest.mark.real_data
def test_topic_files_equal_the_main_table(raw_dir: Path, tmp_path: Path) -> None:
    topics = {name: f"v21/{name}.tsv" for name in ("pathology", "subcellular_location")}
    there, raw = RawFiles(raw_dir), RawFiles(real_dir(raw_dir, tmp_path, **topics))
    for name in ("hpa_pathology_renal_cancer", "hpa_pathology_testis_cancer", "hpa_subcellular_location"):
        main, topic = (HpaBuilder(name, raw=files, cache_dir=tmp_path / "cache") for files in (there, raw))
        frames = [made.rows(made.config).set_index("symbol")["label"] for made in (main, topic)]
        if "subcellular" in name:
            frames = [frame.map(lambda cell: tuple(sorted(set(cell)))) for frame in frames]
        pd.testing.assert_series_equal(frames[0].sort_index(), frames[1].sort_index())


@pytest.mark.real_data
def test_v18_gives_what_it_has(raw_dir: Path, tmp_path: Path) -> None:
    raw = RawFiles(real_dir(raw_dir, tmp_path, proteinatlas="v18/proteinatlas.tsv"))
    built = load("hpa_subcellular_location", raw, cache_dir=tmp_path / "cache")
    names = built.dataset.features["label"].feature.names
    assert not any("<br>" in name for name in names)
    assert 0.9 * 13039 < len(built.dataset) < 13039
    assert load("hpa_rna_tissue_specificity", raw, cache_dir=tmp_path / "cache").config.version == "0.1.0"
    with pytest.raises(SourceFormatError, match=r"no column 'Pathology prognostics - Glioma' .* looks like 16 to 18"):
        load("hpa_pathology_glioma", raw, cache_dir=tmp_path / "cache")


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["hpa_rna_tissue_specificity", "hpa_subcellular_location", "hpa_chromosome"])
def test_real_size_is_near_the_papers(name: str, raw_dir: Path, tmp_path: Path) -> None:
    built = load(name, RawFiles(raw_dir), cache_dir=tmp_path)
    assert built.audit.paper_n is not None
    assert abs(len(built.dataset) / built.audit.paper_n - 1) < 0.03
