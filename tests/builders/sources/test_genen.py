"""The tasks of Genen: labels by name, one gene once, targets of two factors apart; on the real files as described."""

import pandas as pd
import pytest

from builders import BuilderError, RawFiles, load

HGNC = [{"symbol": f"GENE{i}", "uniprot_ids": f"P{10000 + i}"} for i in range(1, 31)]
NAMES = [row["symbol"] for row in HGNC]


@pytest.fixture
def build(write_hgnc, write_raw, data_dir, tmp_path):
    write_hgnc(HGNC)

    def build(task, file, lines):
        write_raw(file, "\n".join(lines) + "\n")
        built = load(task, RawFiles(data_dir), cache_dir=tmp_path / "cache")
        names = getattr(built.dataset.features["label"], "names", None)
        labels = [names[label] if names else label for label in built.dataset["label"][:]]
        return dict(zip(built.dataset["symbol"][:], labels, strict=True)), built

    return build


def test_a_gene_with_two_labels_is_dropped(build):
    rows = [f"{name},{'Bivalent' if i % 2 else 'Lys4Only'},a,0" for i, name in enumerate(NAMES)]
    rows += ["GENE1,Bivalent,a,0", "GENE2,Bivalent,a,0"]
    labels, built = build(
        "genen_bivalent_vs_lys4", "litgene/BivalentVsLys4.csv", ["Gene name,StrLabel,Summary,Label", *rows]
    )
    assert labels == {name: "Bivalent" if i % 2 else "Lys4Only" for i, name in enumerate(NAMES) if name != "GENE1"}
    assert (built.audit.conflicts_dropped, built.audit.duplicates_collapsed) == (1, 1)
    assert built.dataset.features["label"].names == ["Lys4Only", "Bivalent"]


def test_the_file_that_was_not_there_may_call_its_negatives_anything(build):
    rows = [f"{name},{'Bivalent' if i % 2 else 'no_methylation'},a,0" for i, name in enumerate(NAMES)]
    head = "Gene name,StrLabel,Summary,Label"
    labels, _ = build("genen_bivalent_vs_non_methylated", "litgene/BivalentVsNonMethylated.csv", [head, *rows])
    assert set(labels.values()) == {"Bivalent", "NonMethylated"}
    with pytest.raises(BuilderError, match="Bivalent, Other, no_methylation"):
        build(
            "genen_bivalent_vs_non_methylated", "litgene/BivalentVsNonMethylated.csv", [head, *rows, "GENE9,Other,a,0"]
        )


def test_targets_of_each_factor_are_a_task(build):
    kinds = ("gata4_direct", "gata4_indirect", "tbx5_direct", "tbx5_indirect", "housekeeping_genes")
    rows = [f"{name},{kinds[(i + k) % 5]},a,0" for i, name in enumerate(NAMES) for k in (0, 2)]
    for factor, places in (("gata4", (0, 1)), ("tbx5", (2, 3))):
        labels, _ = build(
            f"genen_tf_target_{factor}", "litgene/TF_target_type.csv", ["Gene name,StrLabel,Summary,Label", *rows]
        )
        expected = {
            name: kinds[each] for i, name in enumerate(NAMES) for each in (i % 5, (i + 2) % 5) if each in places
        }
        assert labels == expected


def test_values_that_are_not_available_are_no_rows(build):
    rows = ["NA,0.5", "GENE1,NA", *(f"{name},{i / 30}" for i, name in enumerate(NAMES[1:]))]
    labels, built = build("genen_conservation", "genellm/phastcons.csv", ["GeneSymbol,Conservation", *rows])
    assert labels == {name: i / 30 for i, name in enumerate(NAMES[1:])}
    assert "left out, as they have no value: 1 rows" in built.audit.notes
    assert built.audit.rows_unmapped == 1


def test_deeploc_by_accession(build):
    forms = "MSU"
    lines = [line for i in range(1, 31) for line in (f">P{10000 + i} Cell.membrane-{forms[i % 3]} test", "MKT")]
    labels, built = build("deeploc_solubility", "deeploc/deeploc_test_set.fasta", [*lines, ">Q1 Nucleus-S", "MK"])
    assert labels == {f"GENE{i}": ("Membrane", "Soluble")[i % 3] for i in range(1, 31) if i % 3 < 2}
    assert "10 proteins whose form is unknown are left out" in built.audit.notes
    rows = [f"P{10000 + i},{'Cell.membrane' if i % 2 else 'Nucleus'}," for i in range(1, 31)]
    labels, _ = build("deeploc_location", "deeploc/deeploc_annotations.csv", ["identifier,label,set", *rows])
    assert labels["GENE1"] == "Cell membrane"
    with pytest.raises(BuilderError, match="line 1 is not DeepLoc's header"):
        build("deeploc_solubility", "deeploc/deeploc_test_set.fasta", [">P10001 Nucleus", "MK"])


@pytest.mark.real_data
def test_sizes_of_the_real_files(raw_dir, tmp_path):
    raw = RawFiles(raw_dir, cache_dir=tmp_path)
    sizes = {
        "dosage_sensitivity": 285,
        "bivalent_vs_lys4": 155,
        "tf_range": 157,
        "tf_target_gata4": 1_383,
        "tf_target_tbx5": 1_383,
        "solubility": 1_499,
        "location": 8_596,
    }
    built = {name: load(f"genen_{name}", raw, cache_dir=tmp_path) for name in sizes}
    assert {name: each.audit.n for name, each in built.items()} == sizes
    frame = built["dosage_sensitivity"].dataset.to_pandas()
    table = pd.read_csv(raw_dir / "litgene" / "DosageSensitivity.csv").set_index("Gene name")["StrLabel"]
    expected = (table == "DosageSensitive").astype(int)
    assert (frame.set_index("symbol")["label"] == expected.reindex(frame["symbol"])).all()
