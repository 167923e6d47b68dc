"""The base of the builders, with a toy source: from raw files to what `load_dataset` gives, and the cache between."""

import json
import os
import subprocess
import sys
from collections import Counter

import datasets
import pandas as pd
import pytest

import builders
from builders import (
    Audit,
    GeneTaskBuilder,
    RawFile,
    RawFiles,
    Source,
    TableConfig,
    TaskConfig,
    assign_folds,
    builder_of,
    load,
    select,
)
from builders.errors import MissingFileError, TaskDataError, UnknownTaskError

TEXT = datasets.Value("string")


class ToyBuilder(GeneTaskBuilder):
    """One config per target and entity over a table of symbols."""

    SOURCE = Source(
        name="toy",
        title="Toy database",
        homepage="https://toy.example",
        version="1",
        license="CC0-1.0",
        license_url="https://toy.example/terms",
        redistributable=True,
        citation="Toy et al.",
        files={
            "table": RawFile(("table.tsv",), url=None),
            "extra": RawFile(("extra.tsv",), url=None, optional=True),
        },
    )
    BUILDER_CONFIGS = [
        TaskConfig("toy_kind", target="binary", labels=("b", "a"), column="kind", description="Kind.", paper_size=10),
        TaskConfig("toy_sets", target="multilabel", column="sets", duplicates="union"),
        TaskConfig("toy_score", target="regression", column="score", license="CC-BY-4.0", version="1.2.0"),
        TaskConfig("toy_pairs", target="binary", entity="gene_pair", column="kind"),
        TaskConfig("toy_empty", target="binary", column="nothing"),
        TableConfig("toy_table", features=datasets.Features({"symbol": TEXT, "kind": TEXT, "absent": TEXT})),
    ]

    def rows(self, config):
        table = self.read("table", ("symbol", "kind", "sets", "score"))
        if isinstance(config, TableConfig):
            return table[["symbol", "kind"]]
        if config.column == "nothing":
            return pd.DataFrame({"symbol": ["GENE1"], "label": ["a"]})
        if config.entity == "gene_pair":
            # Each gene with the next one, in both orders.
            one, other, label = table["symbol"][:-1].tolist(), table["symbol"][1:].tolist(), table["kind"][:-1].tolist()
            return pd.DataFrame({"symbol_a": one + other, "symbol_b": other + one, "label": label + label})
        values = {"sets": table["sets"].str.split(";"), "score": table["score"].astype(float), "kind": table["kind"]}
        return pd.DataFrame({"symbol": table["symbol"], "label": values[config.column]})


# GENE0 to GENE19; OLD3 is a former name of GENE3, both names of GENE4 disagree on the kind.
GENES = [
    {
        "symbol": f"GENE{i}",
        "prev_symbol": f"OLD{i}",
        "ensembl_gene_id": f"ENSG{i:011}",
        "alias_symbol": "BOTH" if i < 2 else "",
    }
    for i in range(20)
]
LINES = [f"GENE{i}\t{'ab'[i % 2]}\tx;y\t{i / 4}" for i in range(20)]
MORE = ["OLD3\tb\tz;x\t0.75", "OLD4\tb\tz\t9", "BOTH\ta\tx\t1", "NOBODY\ta\tx\t1", "GENE5\tb\tz;z\t1.25"]


@pytest.fixture
def raw_table(write_hgnc, write_raw):
    write_hgnc(GENES)
    return lambda lines: write_raw("toy/table.tsv", "\n".join(["symbol\tkind\tsets\tscore", *lines, ""]))


@pytest.fixture
def build(raw_table, data_dir, tmp_path):
    raw_table(LINES + MORE)

    def make(name):
        builder = ToyBuilder(name, data_dir=data_dir, cache_dir=tmp_path / "cache")
        builder.built = builder.prepare()
        return builder

    return make


def rows(builder):
    return builder.as_dataset(split="train").to_pandas()


def test_binary(build):
    builder = build("toy_kind")
    table = builder.as_dataset(split="train")
    assert table.column_names == ["symbol", "label", "fold"]
    assert table.features["label"] == datasets.ClassLabel(names=["b", "a"])
    assert table.features["fold"] == datasets.Value("int8")
    expected = {f"GENE{i}": int(i % 2 == 0) for i in range(20) if i != 4}
    assert dict(zip(table["symbol"], table["label"], strict=True)) == expected
    assert list(table["symbol"]) == sorted(expected)
    names = table.features["label"].int2str(list(table["label"]))
    assert list(table["fold"]) == assign_folds(list(table["symbol"]), names).tolist()


def test_audit_accounts_for_every_row(build):
    audit = build("toy_kind").audit
    assert audit.rows_read == 25
    assert audit.identifiers == {"ambiguous": 1, "current": 20, "previous": 2, "unmapped": 1}
    assert audit.samples == {
        "changed": ["OLD3 -> GENE3", "OLD4 -> GENE4"],
        "ambiguous": ["BOTH: GENE0, GENE1"],
        "unmapped": ["NOBODY"],
        "conflicts": ["GENE4"],
    }
    assert audit.losses() == ["ambiguous: BOTH: GENE0, GENE1", "unmapped: NOBODY", "conflicts: GENE4"]
    assert (audit.rows_unmapped, audit.duplicates_collapsed, audit.conflicts_dropped, audit.n) == (2, 2, 1, 19)
    assert audit.rows_read == audit.rows_unmapped + audit.duplicates_collapsed + 2 * audit.conflicts_dropped + audit.n
    assert audit.summary() == (
        "25 rows read, 2 identifiers changed, 1 ambiguous, 0 withdrawn, 1 unmapped, 2 duplicates collapsed,"
        " 1 conflicts dropped, 0 rare labels dropped, 19 left, 10 in the paper"
    )


def test_multilabel_unites_and_drops_rare_labels(build):
    builder = build("toy_sets")
    table = builder.as_dataset(split="train")
    assert table.features["label"] == datasets.List(datasets.ClassLabel(names=["x", "y"]))
    # "z" has three genes; a set that is named twice in a cell counts once.
    assert builder.audit.labels_dropped == {"z": 3}
    assert Counter(map(tuple, table["label"])) == {(0, 1): 20}


def test_regression_folds_are_plain(build):
    table = rows(build("toy_score"))
    assert table["label"].tolist() == [int(symbol[4:]) / 4 for symbol in table["symbol"]]
    assert table["fold"].tolist() == assign_folds(table["symbol"].tolist()).tolist()


def test_pairs_have_no_order(raw_table, build):
    raw_table(LINES)
    builder = build("toy_pairs")
    table = rows(builder)
    found = set(zip(table["symbol_a"], table["symbol_b"], strict=True))
    assert found == {tuple(sorted((f"GENE{i}", f"GENE{i + 1}"))) for i in range(19)}
    keys = [f"{a}\t{b}" for a, b in zip(table["symbol_a"], table["symbol_b"], strict=True)]
    assert table["fold"].tolist() == assign_folds(keys, table["label"].map({0: "a", 1: "b"})).tolist()
    # A pair that stands there in both orders is a duplicate; an identifier that is in both columns is one identifier.
    assert (builder.audit.rows_read, builder.audit.duplicates_collapsed, builder.audit.n) == (38, 19, 19)
    assert builder.audit.identifiers == {"current": 20}


def test_gene_paired_with_itself_is_no_pair(raw_table, build):
    raw_table([*LINES, "OLD19\ta\tx\t1"])
    builder = build("toy_pairs")
    assert builder.audit.n == 19
    assert builder.audit.notes == ["2 rows pair a gene with itself and are left out"]


def test_table_keeps_every_row_and_leaves_out_what_it_has_no_source_for(build):
    builder = build("toy_table")
    table = builder.as_dataset(split="train")
    assert table.column_names == ["symbol", "kind"]
    assert (len(table), builder.audit.rows_read, builder.audit.n) == (25, 25, 25)


def test_dataset_says_where_it_is_from(build, data_dir):
    builder = build("toy_kind")
    info = builder.as_dataset(split="train").info
    assert (info.license, info.citation, info.homepage) == ("CC0-1.0", "Toy et al.", "https://toy.example")
    assert info.description.startswith("Kind.\n\n25 rows read, ")
    sha256 = RawFiles(data_dir).sha256(data_dir / "toy/table.tsv")
    assert info.download_checksums["toy/table.tsv"] == {"checksum": sha256}
    assert set(info.download_checksums) == {"toy/table.tsv", "hgnc/hgnc_complete_set.txt"}
    assert builder.audit.inputs["toy/table.tsv"] == sha256
    assert ToyBuilder.builder_configs["toy_score"].license == "CC-BY-4.0"
    assert ToyBuilder.builder_configs["toy_score"].source == "toy"


def test_cache_path_and_audit_file(build, tmp_path):
    builder = build("toy_score")
    folders = list((tmp_path / "cache/gene-bench/toy_score/1.2.0").glob("*/"))
    assert [len(folder.name) for folder in folders] == [64]
    assert str(folders[0]) == str(builder.cache_dir)
    assert json.loads((folders[0] / "audit.json").read_text())["n"] == builder.audit.n
    assert Audit.read(folders[0]) == builder.audit


def test_same_input_is_not_built_again(build, monkeypatch):
    first = build("toy_kind")
    monkeypatch.setattr(ToyBuilder, "rows", None)
    second = build("toy_kind")
    assert (first.built, second.built) == (True, False)
    assert rows(second).equals(rows(first))
    assert second.audit == first.audit


def test_changed_input_is_a_new_dataset_and_the_last_build_is_the_one_that_loads(
    build, raw_table, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    def loaded():
        return len(datasets.load_dataset("gene-bench", "toy_kind", cache_dir=str(tmp_path / "cache"))["train"])

    old = build("toy_kind")
    assert loaded() == 19
    raw_table(LINES[:10])
    new = build("toy_kind")
    assert new.built
    assert new.cache_dir != old.cache_dir
    assert loaded() == 10
    # Back to the old content: the cache has it, and it is the latest again.
    raw_table(LINES + MORE)
    again = build("toy_kind")
    assert (again.built, again.cache_dir) == (False, old.cache_dir)
    assert loaded() == 19


def test_optional_input_changes_the_dataset(build, write_raw):
    without = build("toy_kind")
    write_raw("toy/extra.tsv", "x")
    assert build("toy_kind").cache_dir != without.cache_dir


def test_left_over_of_a_killed_build(build, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    left = tmp_path / f"cache/gene-bench/.building/toy_kind-1.1.0-{'0' * 64}"
    (left / "gene-bench/toy_kind/1.1.0").mkdir(parents=True)
    (left / "gene-bench/toy_kind/1.1.0/audit.json").write_text("{}")
    build("toy_kind")
    assert [path for path in left.parent.iterdir() if path.is_dir()] == []
    assert len(datasets.load_dataset("gene-bench", "toy_kind", cache_dir=str(tmp_path / "cache"))["train"]) == 19


def test_load_takes_the_latest_build_where_there_are_no_raw_files(build, raw_table, data_dir, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    monkeypatch.setattr(builders.catalog, "BUILDERS", (ToyBuilder,))
    raw_table(LINES[:10])
    first = load("toy_kind", RawFiles(data_dir), cache_dir=cache)
    raw_table(LINES)
    second = load("toy_kind", RawFiles(data_dir), cache_dir=cache)
    assert (first.built, second.built) == (True, True)
    # What a build was doing when it was killed is not a build.
    unfinished = cache / f"gene-bench/toy_kind/1.1.0/{'0' * 64}.incomplete"
    unfinished.mkdir()
    (unfinished / "audit.json").write_text("{}")
    third = load("toy_kind", cache_dir=cache)
    assert (len(third.dataset), third.built, third.audit.n) == (20, False, 20)
    with pytest.raises(MissingFileError, match="Toy database: table.tsv cannot be downloaded by itself"):
        load("toy_score", cache_dir=cache)


def test_audit_of_another_version_is_read(tmp_path):
    (tmp_path / "audit.json").write_text('{"n": 7, "a_count_of_the_future": 1}')
    assert Audit.read(tmp_path) == Audit(n=7)


def test_anyone_loads_a_built_task_offline_from_an_empty_folder(build, tmp_path):
    expected = rows(build("toy_kind"))
    folder = tmp_path / "empty"
    folder.mkdir()
    script = (
        "import datasets, json; t = datasets.load_dataset('gene-bench', 'toy_kind')['train'];"
        "print(json.dumps({'names': t.features['label'].names, **t.to_dict()}))"
    )
    environment = {**os.environ, "HF_DATASETS_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"names": ["b", "a"], **expected.to_dict("list")}


def test_too_few_entities(build):
    with pytest.raises(TaskDataError, match=r"toy_empty: 0 entities left, but 5 folds need 5 \(1 rows read"):
        build("toy_empty")


def test_unknown_config(data_dir):
    with pytest.raises(UnknownTaskError, match="Toy database has no task 'toy_knd'; it has toy_kind, toy_sets"):
        ToyBuilder("toy_knd", data_dir=data_dir)
    with pytest.raises(UnknownTaskError, match="no task matches 'reactome_pathway'; did you mean 'reactome_pathways'?"):
        builder_of("reactome_pathway")
    with pytest.raises(UnknownTaskError, match="no task matches 'humantf_is_tf'; did you mean 'humantfs_is_tf'?"):
        select(["starter_*", "humantf_is_tf"])


def test_missing_file_is_named_before_anything_is_read(write_hgnc, data_dir, tmp_path):
    write_hgnc(GENES)
    with pytest.raises(MissingFileError, match=r"Toy database: no table\.tsv in .*/raw/toy; get it from https://toy"):
        ToyBuilder("toy_kind", data_dir=data_dir, cache_dir=tmp_path / "cache")
