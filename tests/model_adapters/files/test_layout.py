"""What is taken for identifiers and what for dimensions."""

import numpy as np
import pandas as pd
import pytest

from model_adapters import AdapterError, load_model
from model_adapters.files.identifiers import are_row_numbers, likely_reason, looks_like_mouse
from model_adapters.files.layout import look_up

N = 12
SYMBOLS = [f"GENE{i}" for i in range(N)]
OLD = {f"OLD{i}": symbol for i, symbol in enumerate(SYMBOLS)}
ENTREZ = {str(100 + 7 * i * i): symbol for i, symbol in enumerate(SYMBOLS)}
# Some row numbers are Entrez ids too: A1BG is 1, A2M is 2.
KNOWN = {**{str(i): "A1BG" for i in range(5)}, **OLD, **ENTREZ, **{symbol: symbol for symbol in SYMBOLS}}


class Explaining:
    """A resolver as the runner hands it over: it also says how."""

    def __call__(self, names):
        return [symbol for symbol, _ in self.explain(names)]

    def explain(self, names):
        status = {**dict.fromkeys(OLD, "previous"), **dict.fromkeys(ENTREZ, "entrez")}
        folded = {symbol.lower(): symbol for symbol in SYMBOLS}
        return [
            (KNOWN[name], status.get(name, "current"))
            if name in KNOWN
            else (folded[name.lower()], "case")
            if name.lower() in folded
            else (None, "ambiguous" if name == "CAP" else "unmapped")
            for name in names
        ]


FRAME = pd.DataFrame(np.arange(4.0 * N).reshape(N, 4) ** 0.5, columns=["d0", "d1", "d2", "d3"])


@pytest.fixture
def read(tmp_path):
    def read(frame, options="", *, resolve=True):
        frame.to_csv(tmp_path / "v.csv", index=False)
        return load_model(f"{tmp_path}/v.csv{options}", resolve=Explaining() if resolve else None)

    return read


@pytest.mark.parametrize(
    "name",
    [
        *("gene", "Gene", "gene_name", "gene_symbol", "symbols", "gene_id", "ensembl_id", "ensembl", "ENSG", "feature"),
        *("entrez", "entrezgene", "uniprot", "index", "GENE.SYMBOL", "Unnamed: 0", "locus tag", "foo"),
    ],
)
def test_a_column_is_found_by_name_or_content(read, name):
    model = read(FRAME.assign(**{name: SYMBOLS}))
    assert list(model.vector_table().symbols) == SYMBOLS
    assert model.reading.identifier_columns == [name]
    assert model.reading.dimension_columns == ["d0", "d1", "d2", "d3"]


def test_without_a_resolver_the_name_or_the_only_text_decides(read):
    frame = FRAME.assign(kind="kinase", note=[f"n{i}" for i in range(N)])
    model = read(frame.assign(Gene=SYMBOLS), resolve=False)
    assert list(model.vector_table().symbols) == SYMBOLS
    assert model.reading.left_out == {"kind": "text that names no genes", "note": "text that names no genes"}
    assert list(read(FRAME.assign(foo=SYMBOLS), resolve=False).vector_table().symbols) == SYMBOLS
    with pytest.raises(AdapterError, match=r"^v.csv has several columns of text \(note, foo\); name the one .*id="):
        read(FRAME.assign(note=frame["note"], foo=SYMBOLS), resolve=False).table()


def test_the_option_decides(read):
    frame = FRAME.assign(symbol=SYMBOLS, other=SYMBOLS[::-1])
    assert list(read(frame, ",id=other").vector_table().symbols) == SYMBOLS[::-1]
    assert read(frame, ",id=other").model_id == "v:id=other"
    with pytest.raises(AdapterError, match=r"^v.csv .*'othr'.*symbol, other"):
        read(frame, ",id=othr").table()


def test_identifiers_are_fallbacks_of_each_other(read):
    first = [*SYMBOLS[:9], "nothing", "", "CAP"]
    second = [*list(OLD)[:10], "OLD10", "OLD0"]
    model = read(FRAME.assign(gene_name=first, gene_id=second))
    assert model.reading.identifier_columns == ["gene_id", "gene_name"]
    assert set(model.vector_table().symbols) == set(SYMBOLS[:11])
    model = read(FRAME.assign(symbol=first, gene_id=second))
    assert model.reading.identifier_columns == ["symbol", "gene_id"]
    # The last row's second name is GENE0, which the first column gives to row 0.
    assert set(model.vector_table().symbols) == set(SYMBOLS[:11])
    assert model.unresolved == ("CAP",)
    assert model.reading.unknown == [("CAP", "ambiguous: it stands for several genes")]
    assert model.reading.resolved == {"current": 9, "previous": 2, "ambiguous": 1}


def test_what_is_no_dimension_is_left_out_and_said(read):
    frame = FRAME.assign(symbol=SYMBOLS, level_0=range(N), entrez_id=[7.0] * N, chromosome="X", is_tf=True, length=5)
    frame.insert(0, "Unnamed: 0", range(N))
    frame["serial"] = range(1, N + 1)
    model = read(frame)
    assert model.reading.dimension_columns == ["d0", "d1", "d2", "d3", "length"]
    assert model.reading.left_out == {
        "Unnamed: 0": "row numbers",
        "level_0": "row numbers",
        "entrez_id": "whole numbers of which 0 of 12 are Entrez ids",
        "chromosome": "text that names no genes",
        "is_tf": "text that names no genes",
        "serial": "row numbers",
    }
    assert model.reading.notes == ["length taken as dimensions too; choose with columns=PATTERN if they are none"]
    model = read(frame, ",columns=d*")
    assert model.reading.dimension_columns == ["d0", "d1", "d2", "d3"]
    assert model.reading.left_out["length"] == "not asked for"
    assert model.model_id == "v:columns=d*"
    with pytest.raises(AdapterError, match=r"^v.csv has no numeric column like 'e\*', its columns are Unnamed: 0, d0"):
        read(frame, ",columns=e*").table()


@pytest.mark.parametrize(
    ("numbers", "held"),
    [
        (range(N), "row numbers"),
        (range(1, N + 1), "row numbers"),
        (np.random.default_rng(0).permutation(N), "row numbers"),
        (range(500, 500 + N), "row numbers"),
        ([3 * i + 2 for i in range(N)], "whole numbers of which 1 of 12 are Entrez ids"),
    ],
)
def test_row_numbers_are_no_genes(read, numbers, held):
    expected = rf"^v.csv: symbol holds {held} \(.*\), no genes; name the column of genes with id=COLUMN, or add ids=ent"
    with pytest.raises(AdapterError, match=expected):
        read(FRAME.assign(symbol=numbers)).table()
    assert list(read(FRAME.assign(symbol=numbers, gene=SYMBOLS)).vector_table().symbols) == SYMBOLS


def test_entrez_ids_are_taken_where_most_are_known_or_on_request(read):
    assert list(read(FRAME.assign(gene_id=list(ENTREZ))).vector_table().symbols) == SYMBOLS
    few = [*list(ENTREZ)[:3], *range(1_000_000, 1_000_018, 2)]
    with pytest.raises(AdapterError, match=r"gene_id holds whole numbers of which 3 of 12 are Entrez ids \(100, 107, "):
        read(FRAME.assign(gene_id=few)).table()
    assert list(read(FRAME.assign(gene_id=few), ",ids=entrez").vector_table().symbols) == SYMBOLS[:3]


def test_a_list_that_mixes_symbols_and_decimals(read):
    mixed = [*SYMBOLS[:6], *(f"{entrez}.0" for entrez in list(ENTREZ)[6:])]
    assert list(read(FRAME.assign(gene=mixed)).vector_table().symbols) == SYMBOLS


def test_rows_without_an_identifier_are_left_out_and_said(read):
    model = read(FRAME.assign(gene=[*SYMBOLS[:-2], None, " "]))
    assert list(model.vector_table().symbols) == SYMBOLS[:-2]
    assert "2 rows have no identifier and were left out" in model.reading.notes
    assert model.audit["rows without a known gene"] == 2


def test_symbols_that_match_by_letters_only_are_refused(read):
    mouse = [symbol.title() for symbol in SYMBOLS]
    expected = r"^v.csv: names are written like mouse or rat \(Gene0, Gene1, Gene2 and 9 more\), 12 of 12 known genes"
    with pytest.raises(AdapterError, match=expected):
        read(FRAME.assign(symbol=mouse)).table()
    with pytest.raises(AdapterError, match=r"names are written like mouse or rat \(Trp0"):
        read(FRAME.assign(symbol=[*(f"Trp{i}" for i in range(N - 1)), "GENE1"])).table()
    model = read(FRAME.assign(symbol=[*SYMBOLS[:-2], *mouse[-2:]]))
    assert model.reading.resolved == {"current": 10, "case": 2}


def test_missing_values_are_no_genes_by_case():
    names = ["NA", "na", "NaN", "none"]
    found = look_up("gene", names, lambda given: ["NA", "NA", "NAN", "NONE"])
    assert list(found.symbols) == ["NA", None, None, None]
    assert list(look_up("gene", ["na"], lambda given: ["NARS"]).symbols) == ["NARS"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("<pad>", "a special token, not a gene"),
        ("ERCC-00002", "a spike-in, not a gene"),
        ("ENSMUSG00000059552", "a mouse or rat id; map it to the human ortholog"),
        ("ENST00000269305.9", "a transcript; name its gene"),
        ("9606.ENSP00000269305", "a protein of Ensembl; name its gene"),
        ("ENSG00000999999", "an Ensembl gene without an HGNC symbol, or a retired id"),
        ("RP11-34P13.7", "a clone, not an approved symbol"),
        ("2-Sep", "a date that a spreadsheet made of a symbol"),
        ("LOC100130417", "a provisional name of NCBI"),
        ("Trp53", "written like a mouse symbol"),
        ("the cell", "text, not an identifier"),
        ("A;B", "several names in one; keep one"),
        ("12345678", "a number that is not the Entrez id of a current gene"),
        ("XYZ9", "no symbol, old symbol, alias or id of HGNC"),
    ],
)
def test_likely_reasons(name, reason):
    assert likely_reason(name) == reason


def test_row_numbers_and_mouse_names_one_by_one():
    rows, others = (["0"], ["0", "1"], ["2", "1"], ["5", "6", "7"]), (["7"], ["5", "7"], ["1", "A"], ["1", None], [])
    assert all(map(are_row_numbers, rows))
    assert not any(map(are_row_numbers, others))
    assert not any(map(looks_like_mouse, ["TP53", "C1orf112", "HLA-A", "7SK", "mt-Nd1"]))


def test_two_thirds_of_a_sheet_of_genes_as_columns(read):
    frame = FRAME.T.set_axis([*SYMBOLS[:8], "a", "b", "c", "d"], axis=1).rename_axis("dim").reset_index()
    model = read(frame)
    assert list(model.vector_table().symbols) == SYMBOLS[:8]
    assert model.reading.notes == ["genes are the columns of the table; it was transposed"]
    assert model.reading.left_out == {"dim": "names of the dimensions"}
    assert model.vector_table().matrix[1].tolist() == FRAME.loc[1].astype(np.float32).tolist()


def test_names_that_match_by_case_only_do_not_decide_what_is_a_gene(read):
    frame = FRAME.T.set_axis(SYMBOLS, axis=1).set_axis([symbol.lower() for symbol in SYMBOLS[:4]], axis=0)
    model = read(frame.rename_axis("dim").reset_index())
    assert list(model.vector_table().symbols) == SYMBOLS


def test_one_word_in_every_row_is_no_second_identifier(read):
    model = read(FRAME.assign(gene=SYMBOLS, biotype=SYMBOLS[0]))
    assert list(model.vector_table().symbols) == SYMBOLS
    assert model.reading.identifier_columns == ["gene"]
