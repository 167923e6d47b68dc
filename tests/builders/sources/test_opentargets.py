"""Open Targets: bulk folders of four releases, complete and broken."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import RawFiles, load
from builders.errors import MissingFileError, SourceFileError, SourceFormatError

LAYOUTS = {
    "23.09": ("associationByOverallDirect", "diseases"),
    "25.03": ("association_overall_direct", "disease"),
    "25.12": ("association_by_overall_direct", "disease"),
    "26.03": ("association_by_overall_direct", "disease"),
}
SCORES = [0.9, 0.1, 0.25, 0.5, 0.75, 1.0]


def association(numbers, disease, **columns):
    return {
        "diseaseId": [disease] * len(numbers),
        "targetId": [f"ENSG{i:011}" for i in numbers],
        "score": [SCORES[i] for i in numbers],
        "evidenceCount": [1] * len(numbers),
        **columns,
    }


@pytest.fixture
def write_part(data_dir):
    def write(folder, part, columns):
        path = data_dir / "opentargets" / folder / f"part-{part:05}-f96bc7c3-c000.snappy.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)
        return path

    return write


@pytest.fixture(params=["23.09", "25.03", "25.12"])
def folders(request, write_part, write_hgnc, data_dir):
    write_hgnc([{"symbol": f"GENE{i}", "ensembl_gene_id": f"ENSG{i:011}"} for i in range(5)])
    associations, diseases = LAYOUTS[request.param]
    write_part(associations, 0, association([0, 1, 2], "EFO_0000729"))
    # GENE5 is not in HGNC; an association that is there twice counts once.
    write_part(associations, 1, association([3, 4, 5, 3], "MONDO_0005148"))
    (data_dir / "opentargets" / associations / "_SUCCESS").touch()
    write_part(
        diseases,
        0,
        {
            "id": ["MONDO_0005148", "EFO_0000729"],
            "name": ["type 2 diabetes", "ulcerative colitis"],
            "description": [None, "An inflammation of the colon."],
            "ancestors": [["EFO_1"], []],
        },
    )
    return associations, diseases


@pytest.fixture
def build(data_dir, tmp_path):
    return lambda name: load(name, RawFiles(data_dir), cache_dir=tmp_path / "cache")


def test_associations(folders, build):
    built = build("opentargets_gene_disease")
    assert built.dataset.column_names == ["symbol", "disease_id", "label", "fold"]
    table = built.dataset.to_pandas()
    assert [tuple(row) for row in table[["symbol", "disease_id", "label"]].itertuples(index=False)] == [
        ("GENE0", "EFO_0000729", 0.9),
        ("GENE1", "EFO_0000729", 0.1),
        ("GENE2", "EFO_0000729", 0.25),
        ("GENE3", "MONDO_0005148", 0.5),
        ("GENE4", "MONDO_0005148", 0.75),
    ]
    assert built.dataset.features["label"].dtype == "float64"
    assert built.dataset.info.license == "CC0-1.0"
    audit = built.audit
    assert (audit.rows_read, audit.rows_unmapped, audit.duplicates_collapsed, audit.n) == (7, 1, 1, 5)
    assert audit.samples == {"unmapped": ["ENSG00000000005"]}
    assert audit.notes[0].startswith(
        "0 incomplete associations are left out, 2 diseases remain; the paper does not say"
    )


def test_diseases_are_a_table_that_needs_nothing_else(folders, build, data_dir):
    (data_dir / "hgnc/hgnc_complete_set.txt").unlink()
    built = build("diseases")
    assert list(built.dataset) == [
        {
            "disease_id": "EFO_0000729",
            "name": "ulcerative colitis",
            "summary": "An inflammation of the colon.",
            "description": "Disease name ulcerative colitis with the summary An inflammation of the colon.",
        },
        {
            "disease_id": "MONDO_0005148",
            "name": "type 2 diabetes",
            "summary": "",
            "description": "Disease name type 2 diabetes",
        },
    ]
    assert list(built.audit.inputs) == [f"opentargets/{folders[1]}"]


def test_association_without_a_score_is_left_out_and_counted(folders, write_part, build):
    write_part(folders[0], 2, association([0], "EFO_2", score=pa.array([None], pa.float64())))
    audit = build("opentargets_gene_disease").audit
    assert (audit.rows_read, audit.notes[0][:39]) == (7, "1 incomplete associations are left out,")


def test_any_changed_part_is_another_dataset(folders, write_part, build):
    before = build("opentargets_gene_disease")
    write_part(folders[0], 1, association([3], "EFO_0000729") | {"score": [0.6]})
    write_part(folders[0], 2, association([4], "EFO_0000729"))
    after = build("opentargets_gene_disease")
    assert before.audit.inputs != after.audit.inputs
    assert (after.built, after.dataset["label"][3]) == (True, 0.6)


def test_columns_of_26_03(write_part, write_hgnc, build):
    write_hgnc([{"symbol": f"GENE{i}", "ensembl_gene_id": f"ENSG{i:011}"} for i in range(6)])
    folder, _ = LAYOUTS["26.03"]
    series = [{"year": 2024, "associationScore": 0.1, "novelty": 0.2, "yearlyEvidenceCount": 1}]
    for part, number in enumerate((0, 3)):
        numbers = range(number, number + 3)
        columns = association(numbers, "EFO_0000729")
        columns["associationScore"] = columns.pop("score")
        columns |= {"aggregationType": ["overall"] * 3, "aggregationValue": ["overall"] * 3}
        columns |= {"timeseries": [series] * 3, "currentNovelty": [0.1] * 3}
        if number == 3:
            columns["aggregationType"][2] = "datasource"
        write_part(f"{folder}/part={part}", part, columns)
    built = build("opentargets_gene_disease")
    assert dict(zip(built.dataset["symbol"], built.dataset["label"], strict=True)) == {
        f"GENE{i}": SCORES[i] for i in range(5)
    }
    assert built.audit.notes[:2] == [
        "labels are from the column associationScore, as releases from 26.03 on name it",
        "left out, as their aggregationType is not overall: 1 rows",
    ]


def test_missing_column(folders, write_part, build):
    columns = association([0], "EFO_2")
    columns["value"] = columns.pop("score")
    part = write_part(folders[0], 1, columns)
    with pytest.raises(
        SourceFormatError,
        match=rf"{part}: no column 'score' or 'associationScore'; the file has 4 columns: diseaseId, target",
    ):
        build("opentargets_gene_disease")


def test_score_that_is_no_number(folders, write_part, build):
    part = write_part(folders[0], 1, association([0], "EFO_2", score=["high"]))
    with pytest.raises(SourceFormatError, match=rf"{part}: columns have unexpected types .*; expected targetId string"):
        build("opentargets_gene_disease")


def test_half_downloaded_part(folders, write_part, build):
    part = write_part(folders[1], 1, {"id": ["EFO_2"], "name": ["x"], "description": ["y"]})
    part.write_bytes(part.read_bytes()[:-12])
    with pytest.raises(SourceFileError, match=rf"{part}: damaged or half-downloaded parquet file .*; fetch it again"):
        build("diseases")


def test_empty_folder(data_dir, build):
    (data_dir / "opentargets/diseases").mkdir(parents=True)
    with pytest.raises(SourceFileError, match=r"opentargets/diseases: no \.parquet file in this folder"):
        build("diseases")


def test_how_to_get_the_folders(data_dir, build, tmp_path):
    with pytest.raises(MissingFileError) as error:
        build("diseases")
    assert str(error.value) == (
        f"Open Targets: no diseases or disease in {data_dir / 'opentargets'}; get it with `rsync -r rsync.ebi.ac.uk::"
        "pub/databases/opentargets/platform/23.09/output/etl/parquet/diseases DIR/opentargets`"
    )
    with pytest.raises(
        MissingFileError, match="Open Targets: diseases cannot be downloaded by itself; get it with `rsync"
    ):
        load("diseases", RawFiles(cache_dir=tmp_path), cache_dir=tmp_path)


@pytest.mark.real_data
def test_real_disease(raw_dir, tmp_path):
    raw = RawFiles(raw_dir)
    built = load("opentargets_gene_disease", raw, cache_dir=tmp_path)
    table = built.dataset.to_pandas()
    assert (len(table), built.audit.rows_read, built.config.paper_size) == (1165, 1165, 411569)
    assert set(table["disease_id"]) == {"EFO_0000729"}
    # The first two rows of the file are ENSG00000113302 (IL12B) and ENSG00000096968 (JAK2).
    scores = dict(zip(table["symbol"], table["label"].round(4), strict=True))
    assert (scores["IL12B"], scores["JAK2"]) == (0.7346, 0.6653)
    disease = load("diseases", raw, cache_dir=tmp_path).dataset[0]
    assert (disease["name"], disease["summary"][:30]) == ("ulcerative colitis", "A chronic inflammatory disease")
