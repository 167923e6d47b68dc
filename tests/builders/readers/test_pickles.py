import gzip
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from builders.errors import SourceFileError
from builders.readers.pickles import load_plain

PLAIN = {
    "numbers": [0, 255, 256, -1, 2**31, -(10**30), 0.5, True, False, None],
    "text": ["", "é", "x" * 300, "y" * 70_000],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    1: {"empty": {}, 2.5: [[]], None: 0},
}
SCALARS = [
    np.int16(-3), np.int64(2**40), np.uint8(255), np.float32(0.5), np.float64(-2.25), np.bool_(1), np.str_("hé"),
    np.dtype(">i4").type(7), np.array([258], dtype=">u2")[0],
]  # fmt: skip


class Trap:
    """Runs code when it is unpickled."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self):
        return exec, (self.code,)


@pytest.fixture
def write(tmp_path):
    def write(content: bytes) -> Path:
        path = tmp_path / "some.pickle"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_come_back(write, protocol):
    loaded = load_plain(write(pickle.dumps(PLAIN, protocol=protocol)))
    assert loaded == PLAIN
    assert [type(value) for value in loaded["numbers"]] == [type(value) for value in PLAIN["numbers"]]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_numpy_scalars_become_python_values(write, protocol):
    loaded = load_plain(write(pickle.dumps({"scalars": SCALARS}, protocol=protocol)))
    assert loaded == {"scalars": [-3, 2**40, 255, 0.5, -2.25, True, "hé", 7, 258]}
    assert [type(value) for value in loaded["scalars"]] == [int, int, int, float, float, bool, str, int, int]


def test_numpy_1_wrote_other_module_names(write):
    content = pickle.dumps(np.int16(5), protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert load_plain(write(content)) == 5


def test_shared_and_gzipped(write):
    shared = ["ENSG00000141510"]
    assert load_plain(write(gzip.compress(pickle.dumps({"a": shared, "b": shared})))) == {"a": shared, "b": shared}


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_runs(write, tmp_path, protocol):
    target = tmp_path / "ran"
    trap = {"genes": ["ENSG00000141510", Trap(f"open({str(target)!r}, 'w').close()")]}
    content = pickle.dumps(trap, protocol=protocol)
    pickle.loads(content)
    assert target.exists()  # the trap is a real one
    target.unlink()
    path = write(content)
    with pytest.raises(SourceFileError, match=r"some\.pickle: holds ") as error:
        load_plain(path)
    assert not target.exists()
    assert "\n" not in str(error.value)
    if protocol >= 2:
        assert "a reference to " in str(error.value)
        assert "builtin" in str(error.value)
        assert ".exec;" in str(error.value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (np.arange(3), r"multiarray\._reconstruct"),
        (OrderedDict(a=1), r"collections\.OrderedDict"),
        (np.dtype("i4"), "a value of type dtype"),
        (np.complex64(1), "a numpy scalar of type '<c8'"),
        ({"a": {1, 2}}, "opcode EMPTY_SET"),
        ({"a": b"bytes"}, "a value of type bytes"),
        ({(1, 2): 3}, "a dict key of type tuple"),
        (Path, r"a reference to pathlib"),
    ],
)
def test_other_things_are_refused(write, value, found):
    path = write(pickle.dumps(value, protocol=4))
    with pytest.raises(SourceFileError, match=found):
        load_plain(path)


def test_a_callable_alone_is_refused(write):
    path = write(b"\x80\x02cnumpy\ndtype\n.")
    with pytest.raises(SourceFileError, match="a value of type global"):
        load_plain(path)


@pytest.mark.parametrize("keep", [0, 1, 10, 50, -1])
def test_truncated(write, keep):
    path = write(pickle.dumps({"genes": ["ENSG00000141510"] * 20, "more": list(range(300))})[:keep])
    with pytest.raises(SourceFileError, match="half-downloaded"):
        load_plain(path)


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04]K\x01a",  # no STOP
        b"\x80\x04K\x01a.",  # append to nothing
        b"\x80\x04K\x01K\x02.",  # two values
        b"\x80\x04t.",  # no MARK
        b"\x80\x04h\x07.",  # memo that was never written
        b"\x80\x04}(K\x01u.",  # a key without a value
        b"\x80\x04K\x01K\x02R.",  # a call of a number
        b"\x80\x04K\x01)b.",  # state for a number
        b"<html>not found</html>",
    ],
)
def test_damaged(write, content):
    path = write(content)
    with pytest.raises(SourceFileError, match="half-downloaded"):
        load_plain(path)


def test_a_scalar_with_too_few_bytes(write):
    content = pickle.dumps(np.int64(5), protocol=3).replace(b"i8", b"i4")
    with pytest.raises(SourceFileError, match="half-downloaded"):
        load_plain(write(content))


def test_ten_bytes_do_not_allocate_gigabytes(write):
    content = b"\x80\x04K\x01r" + struct.pack("<I", 2**32 - 1) + b"."
    assert load_plain(write(content)) == 1


def test_size_bound(write):
    path = write(gzip.compress(pickle.dumps(["x" * 10_000])))
    with pytest.raises(SourceFileError, match="more than 5,000 bytes"):
        load_plain(path, limit=5000)


@pytest.mark.real_data
def test_geneformer_dictionaries(raw_dir):
    tokens = load_plain(raw_dir / "geneformer/token_dictionary.pkl")
    assert len(tokens) == 25426
    assert (tokens["<pad>"], tokens["<mask>"], tokens["ENSG00000000003"]) == (0, 1, 2)
    assert {type(token) for token in tokens.values()} == {int}
    names = load_plain(raw_dir / "geneformer/gene_name_id_dict.pkl")
    assert (len(names), names["TP53"]) == (40248, "ENSG00000141510")
