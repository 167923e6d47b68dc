import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest

from builders import SymbolResolver
from model_adapters import AdapterError, as_matrix, load_model

HPA = """Gene\tGene name\tTissue\tnTPM
ENSG1\tTP53\tliver\t0.0
ENSG1\tTP53\tbrain\t3.5
ENSG1\tTP53\tvagina\t1.0
ENSG2\tNA\tbrain\t7
ENSG2\tNA\tliver\t1
ENSG3\tOLD\tliver\t2
ENSG3\tOLD\tbrain\t4
ENSG3\tOLD\tvagina\t0.5
"""
WIDE = "Gene,Gene name,liver,brain,vagina\nENSG1,TP53,0,3.5,1\nENSG2,NA,1,7,\nENSG3,OLD,2,4,0.5\n"
CURRENT = {"ENSG1": "TP53", "ENSG2": "NA", "OLD": "NEW"}


def resolve(names):
    return [CURRENT.get(name) for name in names]


def table_of(spec, resolver=None):
    model = load_model(f"expression:{spec}", resolve=resolver)
    symbols, vectors = as_matrix(model.table())
    return model, dict(zip(symbols, vectors.tolist(), strict=True))


def logs(*values):
    return np.log1p(np.array(values)).astype(np.float32).tolist()


def write(folder, name, text=HPA):
    path = folder / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name.removesuffix(".zip"), text)
    else:
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rna_tissue_consensus.tsv", HPA),
        ("rna_tissue_consensus.tsv.zip", HPA),
        ("rna_tissue_consensus.tsv.gz", HPA),
        ("rna_tissue_consensus.csv", HPA.replace("\t", ",")),
        ("rna_tissue_consensus.csv", WIDE),
        ("rna_tissue_consensus.tsv", WIDE.replace(",", "\t")),
        ("rna_tissue_consensus.csv.zip", WIDE),
    ],
)
def test_tissues_that_a_gene_lacks_are_left_out(tmp_path, name, text):
    model, vectors = table_of(write(tmp_path, name, text))
    assert vectors == {"TP53": logs(0, 3.5), "NA": logs(1, 7), "OLD": logs(2, 4)}
    assert (model.model_id, model.adapter) == ("expression:rna_tissue_consensus", "expression")
    assert model.revision.startswith("sha256:")
    assert model.audit["tissues left out"] == 1
    assert model.audit["genes left out"] == 0


def test_or_the_genes_are(tmp_path):
    model, vectors = table_of(f"{write(tmp_path, 'e.tsv')},drop=genes")
    assert vectors == {"TP53": logs(0, 3.5, 1), "OLD": logs(2, 4, 0.5)}
    assert model.model_id == "expression:e:drop=genes"
    assert model.audit["genes left out"] == 1


def test_ids_resolve_and_names_only_where_they_do_not(tmp_path):
    model, vectors = table_of(write(tmp_path, "e.tsv"), resolve)
    assert vectors == {"TP53": logs(0, 3.5), "NA": logs(1, 7), "NEW": logs(2, 4)}
    text = HPA + "ENSG9\tOLD\tliver\t9\nENSG9\tOLD\tbrain\t9\n"
    text += "ENSG4\tENSG1\tliver\t5\nENSG4\tENSG1\tbrain\t5\n"
    model, vectors = table_of(write(tmp_path, "e.tsv", text), resolve)
    # Two unknown ids of one old name are averaged; an id whose name is a gene that has its own row adds nothing to it.
    assert vectors["NEW"] == pytest.approx((np.log1p([2, 4]) + np.log1p([9, 9])) / 2)
    assert vectors["TP53"] == logs(0, 3.5)
    assert model.unresolved == ("ENSG4",)


@pytest.mark.parametrize("column", ["TPM", "pTPM", "NX"])
def test_columns_of_other_versions(tmp_path, column):
    text = HPA.replace("nTPM", column)
    assert table_of(write(tmp_path, "e.tsv", text))[1]["NA"] == logs(1, 7)


def test_normalised_values_are_preferred(tmp_path):
    text = "Gene\tTissue\tTPM\tpTPM\tnTPM\nA\tliver\t1\t2\t3\nB\tliver\t4\t5\t6\n"
    assert table_of(write(tmp_path, "e.tsv", text))[1] == {"A": logs(3), "B": logs(6)}


@pytest.mark.parametrize(
    "sample", ["Cell type", "Cell line", "Brain region", "Blood cell", "Immune cell", "Cancer", "Sample"]
)
@pytest.mark.parametrize("value", ["nTPM", "nCPM", "NX", "TPM", "Value\tUnit"])
def test_tables_of_cell_types_lines_and_regions(tmp_path, sample, value):
    lines = HPA.replace("Tissue", sample).replace("nTPM", value).splitlines()
    lines[1:] = [f"{line}\tTPM" if "Unit" in value else line for line in lines[1:]]
    vectors = table_of(write(tmp_path, "rna.tsv", "\n".join(lines) + "\n"))[1]
    assert vectors == {"TP53": logs(0, 3.5), "NA": logs(1, 7), "OLD": logs(2, 4)}


def test_published_headers(tmp_path):
    # HPA 18, 21 and 25, one line for each gene and sample; the values that count stand last before the unit.
    tables = {
        "rna_tissue": "Sample\tValue\tUnit\n{}liver\t3\tTPM\n{}lung\t7\tTPM\n",
        "rna_celline": "Cell line\tTPM\tpTPM\tnTPM\n{}HeLa\t1\t2\t3\n{}A-431\t1\t2\t7\n",
        "rna_single_cell_type": "Cell type\tnCPM\n{}B-cells\t3\n{}T-cells\t7\n",
        "rna_single_cell_type_tissue": (
            "Tissue\tCluster\tCell type\tRead count\tnTPM\n{}lung\tc-0\tB-cells\t9\t3\n{}lung\tc-1\tB-cells\t9\t7\n"
        ),
    }
    for name, text in tables.items():
        text = "Gene\tGene name\t" + text.format("ENSG1\tTP53\t", "ENSG1\tTP53\t")
        assert table_of(write(tmp_path, f"{name}.tsv", text))[1] == {"TP53": logs(3, 7)}, name


def test_what_a_mac_adds_to_a_zip(tmp_path):
    path = write(tmp_path, "e.tsv.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._e.tsv", b"x")
        archive.writestr(".DS_Store", b"x")
    assert table_of(path)[1]["NA"] == logs(1, 7)


BAD = {
    "units": (
        "Gene\tSample\tValue\tUnit\nA\tx\t1\tTPM\nA\ty\t1\tNX\n",
        "e.tsv has values in TPM, NX; keep the lines of one unit",
    ),
    "another word for samples": (
        HPA.replace("Tissue", "Organ"),
        r"e.tsv is not a .*liver.*one of samples \(Tissue, Cell type",
    ),
    "no values": (HPA.replace("nTPM", "level"), "e.tsv has columns Gene, Gene name, Tissue; expected columns"),
    "words": (HPA.replace("3.5", "high"), "e.tsv is not a readable gene x tissue table .*'high'"),
    "negative": (HPA.replace("3.5", "-2"), "e.tsv: ENSG1 has -2 in brain, expected TPM of 0 or more; is the"),
    "twice": (HPA + "ENSG2\tNA\tliver\t2\n", "e.tsv: ENSG2 has several lines for liver; keep one"),
    "no tissue": ("Gene\tGene name\nENSG1\tTP53\n", "e.tsv has 1 rows and columns Gene, Gene name; expected"),
    "wide words": ("Gene\tkind\tliver\nA\tkinase\t1\n", "e.tsv is not a readable gene x tissue table .*kinase"),
    "no rows": ("Gene\tGene name\tTissue\tnTPM\n", "e.tsv: no tissue has a value for every gene; no gene has one"),
    "nothing in common": ("Gene\tTissue\tnTPM\nA\tx\t1\nB\ty\t1\n", "e.tsv: no tissue has a value for every gene;"),
    "empty": ("", "e.tsv is not a readable gene x tissue table"),
    "ragged": (HPA + "ENSG9\n", "e.tsv is not a readable gene x tissue table"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables(tmp_path, case):
    text, expected = BAD[case]
    model = load_model(f"expression:{write(tmp_path, 'e.tsv', text)}")
    with pytest.raises(AdapterError, match=f"^{expected}") as caught:
        model.table()
    assert "\n" not in str(caught.value)


def test_bad_files(tmp_path):
    with pytest.raises(AdapterError, match=r"^no file .*/rna.tsv, expected a gene x tissue table: there is no folder "):
        load_model(f"expression:{tmp_path}/absent/rna.tsv")
    with pytest.raises(AdapterError, match=r"^expression needs a table: expression:FILE"):
        load_model("expression")
    (tmp_path / "e.tsv.zip").write_bytes(b"no zip")
    with pytest.raises(AdapterError, match=r"^e.tsv.zip cannot be unpacked \(BadZipFile: "):
        load_model(f"expression:{tmp_path}/e.tsv.zip").table()
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.tsv", HPA)
        archive.writestr("b.tsv", HPA)
    with pytest.raises(AdapterError, match=r"^two.zip has 2 files in it \(a.tsv, b.tsv\), expected one table$"):
        load_model(f"expression:{tmp_path}/two.zip").table()


def test_unpacking_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("model_adapters.single_cell.expression.MAX_UNPACKED_BYTES", 100)
    for name in ("e.tsv", "e.tsv.gz", "e.tsv.zip"):
        with pytest.raises(AdapterError, match=rf"^{name} has more than 100 bytes"):
            load_model(f"expression:{write(tmp_path, name)}").table()


@pytest.mark.real_data
def test_the_real_table(raw_dir):
    path = raw_dir / "hpa" / "v21" / "rna_tissue_consensus.tsv.zip"
    resolver = SymbolResolver.from_hgnc(raw_dir / "hgnc" / "hgnc_complete_set.txt")
    model, vectors = table_of(path, lambda names: resolver.resolve(names).symbols)
    assert {key: model.audit[key] for key in ("rows", "tissues", "tissues left out")} == {
        "rows": 20090,
        "tissues": 52,
        "tissues left out": 2,
    }
    frame = pd.read_csv(path, sep="\t", keep_default_na=False)
    wide = frame[frame["Gene"] == "ENSG00000141510"].set_index("Tissue")["nTPM"].drop(["vagina", "pituitary gland"])
    assert sorted(vectors["TP53"]) == pytest.approx(sorted(np.log1p(wide)), rel=1e-6)
    assert len(vectors) == 19742
