"""Tables as sources publish them, whole and broken: the right strings, or one line that names file and place."""

import csv
import gzip
import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.errors import SourceFileError, SourceFormatError
from builders.readers.archives import read_bytes, read_text
from builders.readers.parquet import parquet_columns, read_parquet
from builders.readers.tables import read_table

TABLE = b"symbol\tscore\nTP53\t1\nNA\tnan\n"


@pytest.fixture
def write(tmp_path):
    def write(content, name="table.tsv"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def one_line(error):
    return "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        gzip.compress(TABLE),
        zipped(**{"table.tsv": TABLE}),
        b"\xef\xbb\xbf" + TABLE,
        TABLE.replace(b"\n", b"\r\n"),
    ],
    ids=["plain", "gzip", "zip", "byte order mark", "windows lines"],
)
def test_all_packings_give_the_same_strings(write, content):
    # The name lies on purpose: the packing is told by the first bytes.
    frame = read_table(write(content), ("symbol", "score"))
    assert frame.to_dict("list") == {"symbol": ["TP53", "NA"], "score": ["1", "nan"]}


def test_no_cell_becomes_a_missing_value(write):
    words = ["NA", "nan", "", "NULL", "None", "N/A", "-", "1.0", "007"]
    frame = read_table(write(("word\tx\n" + "".join(f"{word}\t\n" for word in words)).encode()), ("word", "x"))
    assert frame["word"].tolist() == words
    assert frame["x"].tolist() == [""] * len(words)


def test_columns_come_in_the_order_asked_for_and_others_on_request(write):
    path = write(b"a\tb\tc\n1\t2\t3\n")
    assert read_table(path, ("c", "a")).to_dict("list") == {"c": ["3"], "a": ["1"]}
    assert read_table(path, ("c", "a"), all_columns=True).to_dict("list") == {"a": ["1"], "b": ["2"], "c": ["3"]}


def test_table_without_header_keeps_its_first_row(write):
    frame = read_table(write(b"R-HSA-1\tR-HSA-2\nR-HSA-1\tR-HSA-3\n"), ("parent", "child"), header=False)
    assert frame["child"].tolist() == ["R-HSA-2", "R-HSA-3"]


def test_quoting(write):
    quoted = write(b'name,note\n"a, b","say ""hi"""\n"two\nlines",x\n', "q.csv")
    frame = read_table(quoted, ("name", "note"), sep=",")
    assert frame.to_dict("list") == {"name": ["a, b", "two\nlines"], "note": ['say "hi"', "x"]}
    bare = write(b'name\tnote\na\t"open\nb\tfine\n', "bare.tsv")
    assert read_table(bare, ("name", "note"), quoting=csv.QUOTE_NONE)["note"].tolist() == ['"open', "fine"]


@pytest.mark.parametrize("content", [b"a\tb", b"a\tb\n", b"a\tb\n\n\n"])
def test_header_alone_is_an_empty_table(write, content):
    frame = read_table(write(content), ("b",))
    assert (list(frame), len(frame)) == (["b"], 0)


def test_empty_lines_are_skipped(write):
    assert read_table(write(b"a\n1\n\n2\n\n"), ("a",))["a"].tolist() == ["1", "2"]


@pytest.mark.parametrize("cut", [20, -9, -1])
def test_truncated_gzip(write, cut):
    path = write(gzip.compress(TABLE * 100)[:cut])
    with pytest.raises(
        SourceFileError, match=r"table\.tsv: damaged or half-downloaded archive .*fetch it again"
    ) as error:
        read_table(path, ("symbol",))
    assert one_line(error)


def test_damaged_gzip(write):
    content = bytearray(gzip.compress(TABLE * 100))
    content[20] ^= 0xFF
    with pytest.raises(SourceFileError, match="damaged or half-downloaded archive"):
        read_bytes(write(bytes(content)))


def test_truncated_zip(write):
    with pytest.raises(SourceFileError, match="damaged or half-downloaded archive"):
        read_bytes(write(zipped(**{"table.tsv": TABLE})[:-30]))


# With ids: that of gzip's bytes would be the time, and another one in each process of a parallel run.
@pytest.mark.parametrize(
    "content", [gzip.compress(b"0" * 10_000), zipped(bomb=b"0" * 10_000), b"0" * 10_000], ids=["gzip", "zip", "plain"]
)
def test_nothing_larger_than_the_limit_is_unpacked(write, content):
    path = write(content)
    assert len(read_bytes(path, limit=10_000)) == 10_000
    with pytest.raises(SourceFileError, match="more than 9,999 bytes once unpacked"):
        read_bytes(path, limit=9_999)


@pytest.mark.parametrize("name", ["../table.tsv", "a/../../table.tsv", "/etc/table.tsv", "..\\table.tsv"])
def test_member_that_leaves_its_folder(write, name):
    with pytest.raises(SourceFileError, match="unsafe member name .*expected one plain file"):
        read_bytes(write(zipped(**{name: TABLE})))


def test_zip_with_another_number_of_members_than_one(write):
    with pytest.raises(SourceFileError, match="2 files in the zip, expected one"):
        read_bytes(write(zipped(a=TABLE, b=TABLE)))
    with pytest.raises(SourceFileError, match="0 files in the zip, expected one"):
        read_bytes(write(zipped()))


def test_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(SourceFileError, match=r"cannot be read \(Is a directory\)"):
        read_bytes(tmp_path)


def test_what_a_mac_adds_to_a_zip_is_no_file_of_it(write):
    members = {"__MACOSX/._table.tsv": b"x", "__MACOSX/": b"", "._table.tsv": b"x", ".DS_Store": b"x"}
    path = write(zipped(**members, **{"folder/table.tsv": TABLE}))
    assert read_table(path, ("symbol",))["symbol"].tolist() == ["TP53", "NA"]


@pytest.mark.parametrize(
    "content",
    [
        b"#tax_id\tGeneID\n9606\t7157\n",
        b"# made on Monday\n#\n#tax_id\tGeneID\n9606\t7157\n",
        b"!gaf-version: 2.1\n!\ntax_id\tGeneID\n9606\t7157\n",
        b" tax_id \tGeneID\r\n9606\t7157\r\n",
        b"added\tGeneID\ttax_id\nx\t7157\t9606\n",
    ],
    ids=["# before the first name", "comments", "comments of a GAF", "blanks", "added columns in another order"],
)
def test_columns_are_found_by_name(write, content):
    frame = read_table(write(content), ("tax_id", "GeneID"))
    assert frame.to_dict("list") == {"tax_id": ["9606"], "GeneID": ["7157"]}


@pytest.mark.parametrize(
    "content",
    [
        b"a\tb\t\n1\t2\t\n3\t4\t\n",
        b"a\tb\n1\t2\t\n3\t4\t\n",
        b"a\tb\t\n1\t2\n3\t4\n",
        b"a\tb\t\t\n1\t2\t\t\n3\t4\t\t\n",
        b"\ta\tb\n0\t1\t2\n1\t3\t4\n",
    ],
    ids=["all lines", "rows", "header", "two", "row numbers"],
)
@pytest.mark.parametrize("all_columns", [True, False])
def test_columns_without_a_name_do_not_matter(write, content, all_columns):
    frame = read_table(write(content), ("a", "b"), all_columns=all_columns)
    assert frame.to_dict("list") == {"a": ["1", "3"], "b": ["2", "4"]}


def test_row_numbers_count_comment_lines(write):
    with pytest.raises(SourceFormatError, match="row 4 has 3 cells"):
        read_table(write(b"# x\na\tb\n1\t2\n3\t4\t5\n"), ("a", "b"))
    with pytest.raises(SourceFormatError, match="row 4 is the header line again"):
        read_table(write(b"# x\na\tb\n1\t2\na\tb\n"), ("a", "b"))


def test_names_of_other_releases(write):
    renamed = (("Approved symbol", "symbol"), ("gene", "symbol"))
    path = write(b"gene\tscore\nTP53\t1\n")
    assert read_table(path, ("symbol", "score"), renamed=renamed).to_dict("list") == {
        "symbol": ["TP53"],
        "score": ["1"],
    }
    with pytest.raises(SourceFormatError, match=r"'symbol'.*'Approved symbol'.*'gene'.*2 columns: id, score"):
        read_table(write(b"id\tscore\nTP53\t1\n"), ("symbol", "score"), renamed=renamed)
    # The name of this release comes first.
    both = read_table(write(b"gene\tsymbol\nX\tTP53\n"), ("symbol",), renamed=renamed, all_columns=True)
    assert both.to_dict("list") == {"gene": ["X"], "symbol": ["TP53"]}


@pytest.mark.parametrize("header", [True, False])
def test_other_encoding_names_the_line(write, header):
    content = "symbol\tname\nTP53\tx\nIL6\tβ-Körper\n".encode("latin-1", "replace")
    with pytest.raises(SourceFileError, match=r"table\.tsv: line 3 is not UTF-8 \(byte \d+\)"):
        read_table(write(content), ("symbol", "name"), header=header)
    with pytest.raises(SourceFileError, match="line 3 is not UTF-8"):
        read_text(write(content))


def test_utf_16_is_refused_at_the_first_line(write):
    with pytest.raises(SourceFileError, match="line 1 is not UTF-8"):
        read_table(write(TABLE.decode().encode("utf-16")), ("symbol",))


def test_missing_column_names_the_file_the_column_and_what_there_is(write):
    with pytest.raises(SourceFormatError, match=r"table\.tsv: no column 'gene'; the file has 2 columns: symbol, score"):
        read_table(write(TABLE), ("symbol", "gene"))


def test_empty_file(write):
    with pytest.raises(SourceFormatError, match=r"no column 'symbol'; the file is empty"):
        read_table(write(b""), ("symbol",))
    with pytest.raises(SourceFormatError, match="not a table with 2 columns: Empty CSV file"):
        read_table(write(b""), ("parent", "child"), header=False)


def test_column_named_twice(write):
    path = write(b"symbol\tscore\tscore\nTP53\t1\t2\n")
    with pytest.raises(SourceFormatError, match="column 'score' appears more than once in the header"):
        read_table(path, ("symbol", "score"))
    # Not this table's affair when nobody asks for the column.
    assert read_table(path, ("symbol",))["symbol"].tolist() == ["TP53"]


def test_header_line_in_the_middle(write):
    with pytest.raises(SourceFormatError, match="row 4 is the header line again; two files joined?"):
        read_table(write(TABLE + TABLE), ("symbol", "score"))


@pytest.mark.parametrize(
    ("content", "header", "message"),
    [
        (b"a\tb\n1\t2\n3\t4\t5\n6\t7\n", True, "row 3 has 3 cells"),
        (b"a\tb\n1\t2\t3\n4\t5\t6\n", True, "row 2 has 3 cells"),
        (b"a\tb\n1\t2\n3\n4\t5\n", True, "row 3 has 1 cells"),
        (b"a\tb\n1\t2\n3", True, "row 3 has 1 cells"),
        (b"1\t2\n3\n", False, "row 2 has 1 cells"),
        (b"1\t2\t3\n4\t5\t6\n", False, "row 1 has 3 cells"),
    ],
)
def test_ragged_rows_are_refused_with_their_number(write, content, header, message):
    with pytest.raises(SourceFormatError, match=rf"table\.tsv: not a table with 2 columns: {message}") as error:
        read_table(write(content), ("a", "b"), header=header)
    assert one_line(error)


SCHEMA = {"id": "string", "score": "double"}


def test_parquet_parts_are_read_in_name_order_without_other_columns(tmp_path):
    for name, value in (("part-00001", 2), ("part-00000", 1)):
        columns = {"other": [[0]], "score": [value], "id": pa.array([f"id{value}"]).dictionary_encode()}
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    (tmp_path / "_SUCCESS").touch()
    assert read_parquet(tmp_path, SCHEMA).to_dict("list") == {"id": ["id1", "id2"], "score": [1.0, 2.0]}


def test_parquet_in_folders_below_and_under_other_names(tmp_path):
    for name, column in (("a=1/part-0", "score"), ("a=2/part-0", "associationScore")):
        (tmp_path / name).parent.mkdir()
        pq.write_table(pa.table({"id": [name], column: [1.0]}), tmp_path / f"{name}.parquet")
    (tmp_path / "a=2/._part-0.parquet").write_bytes(b"what a Mac adds")
    frame = read_parquet(tmp_path, SCHEMA, renamed=(("associationScore", "score"),))
    assert frame.to_dict("list") == {"id": ["a=1/part-0", "a=2/part-0"], "score": [1.0, 1.0]}
    assert parquet_columns(tmp_path) == ["id", "score"]
    with pytest.raises(SourceFormatError, match=r"no column 'score' or 'value'; .*columns: id, associationScore"):
        read_parquet(tmp_path, SCHEMA, renamed=(("value", "score"),))


def test_parquet_that_is_not_as_expected(tmp_path):
    part = tmp_path / "part-00000.parquet"
    with pytest.raises(SourceFileError, match=r"no \.parquet file in this folder"):
        read_parquet(tmp_path, SCHEMA)
    pq.write_table(pa.table({"id": ["a"], "value": [1.0]}), part)
    with pytest.raises(SourceFormatError, match=r"part-00000\.parquet: no column 'score'; .*2 columns: id, value"):
        read_parquet(tmp_path, SCHEMA)
    pq.write_table(pa.table({"id": ["a"], "score": ["high"]}), part)
    with pytest.raises(SourceFormatError, match=r"part-00000\.parquet: columns have unexpected types .*score double"):
        read_parquet(tmp_path, SCHEMA)
    pq.write_table(pa.table({"id": ["a"], "score": [1.0]}), part)
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(SourceFileError, match=r"part-00000\.parquet: damaged or half-downloaded parquet file") as error:
        read_parquet(tmp_path, SCHEMA)
    assert one_line(error)
