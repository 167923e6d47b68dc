"""The reader of JSON says what `json` says, with lists of decimals as arrays."""

import json

import numpy as np
import pyarrow as pa
import pytest

from model_adapters.files.readers.json_files import load

VALUES = (
    {"A": [0.5, 1, -2e3], 'B\u00e9\u4e2d\n"\\': [1, 2], "": [], "n": None, "t": [True, False, None], "s": "[1, {2}]"},
    [[[0.5], [1.5, 2.0]], [], {}, [{"a": ["x", "y,]"], "b": 1e300}]],
    "text",
    -1.5,
)


def plain(value):
    if isinstance(value, np.ndarray):
        return [float(number) for number in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("indent", [None, 2])
def test_it_is_what_json_reads(value, encoding, indent):
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    assert plain(load(pa.py_buffer(text.encode(encoding)))) == value


BAD = (
    b"", b"{", b'{"A" 1}', b'{"A": 1,}', b"[1, ]", b"[1.5 2]", b"[[1.5] [2]]", b'{"A": 1} x', b"{1: 2}", b'["a]',
    b"[01.5]", b"nul", b'"\xff"', b'{"A": [0.5, x]}', b'["\t"]', b"[[1.5],]", b"]",
)  # fmt: skip


@pytest.mark.parametrize("content", BAD)
def test_what_json_refuses_is_refused(content):
    with pytest.raises(ValueError, match=r".+"):
        json.loads(content)
    with pytest.raises(ValueError, match=r".+"):
        load(pa.py_buffer(content))
