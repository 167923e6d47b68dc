import json
import pickle
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from model_adapters import AdapterError
from model_adapters.single_cell.checkpoints import MAX_DICTIONARY_BYTES, read_dictionary, read_tensor

WEIGHTS = torch.arange(6, dtype=torch.float32).reshape(3, 2)


def test_one_tensor_of_a_safetensors_file(tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"a.emb": WEIGHTS, "b": torch.zeros(4)}, path)
    np.testing.assert_array_equal(read_tensor(path, "emb"), WEIGHTS.numpy())


BAD_STATES = {
    "absent": ({"a.emb": WEIGHTS}, "m.pt has no tensor 'embd', it has a.emb.*; is it a checkpoint of this model"),
    "twice": ({"a.embd": WEIGHTS, "b.embd": WEIGHTS}, "m.pt has 2 tensor 'embd', it has a.embd, b.embd"),
    "vector": ({"embd": WEIGHTS[0]}, r"m.pt: embd holds torch.float32 of shape \(2,\), expected floats of \("),
    "integers": ({"embd": WEIGHTS.int()}, r"m.pt: embd holds torch.int32 of shape \(3, 2\), expected floats"),
    "no tensors": ({"epoch": 3}, "m.pt has no tensor 'embd', it has no tensor"),
    "a list": ([WEIGHTS], "m.pt has no tensor 'embd', it has no tensor"),
}


@pytest.mark.parametrize("case", BAD_STATES)
def test_checkpoints_without_the_tensor(tmp_path, case):
    state, expected = BAD_STATES[case]
    torch.save(state, tmp_path / "m.pt")
    with pytest.raises(AdapterError, match=f"^{expected}") as caught:
        read_tensor(tmp_path / "m.pt", "embd")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["m.pt", "m.safetensors"])
@pytest.mark.parametrize("content", [b"", b"\x80\x04", b"PK\x03\x04 and no zip", b"<html>404</html>", None])
def test_damaged_files(tmp_path, name, content):
    path = tmp_path / name
    (save_file if name.endswith("s") else torch.save)({"emb": WEIGHTS}, path)
    path.write_bytes(path.read_bytes()[:-40] if content is None else content)
    expected = r"m.(safetensors is not a readable safetensors|pt (is not a readable torch|holds more than)).*fetch"
    with pytest.raises(AdapterError, match=expected) as caught:
        read_tensor(path, "emb")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_dictionaries(tmp_path, protocol):
    content = {f"G{i}": i for i in range(700)}
    (tmp_path / "d.pkl").write_bytes(pickle.dumps(content, protocol=protocol))
    assert read_dictionary(tmp_path / "d.pkl") == content
    (tmp_path / "d.json").write_text(json.dumps(content))
    assert read_dictionary(tmp_path / "d.json") == content


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8, np.dtype(">i4").type, np.float32])
def test_numbers_of_numpy_become_numbers(tmp_path, kind):
    (tmp_path / "d.pkl").write_bytes(pickle.dumps({"A": kind(7), "B": kind(0)}, protocol=4))
    read = read_dictionary(tmp_path / "d.pkl")
    assert read == {"A": 7, "B": 0}
    assert type(read["A"]) in (int, float)


def test_the_name_of_old_numpy_is_known(tmp_path):
    content = pickle.dumps({"A": np.int64(7)}, protocol=3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "d.pkl").write_bytes(content)
    assert read_dictionary(tmp_path / "d.pkl") == {"A": 7}


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


BAD_PICKLES = {
    "code": (pickle.dumps({"A": Call(print, "ran")}), r"names builtins.print, which could run code; nothing was run"),
    "eval": (b"cbuiltins\neval\n(S'1'\ntR.", r"names builtins.eval, which could run code"),
    "class": (pickle.dumps(Call), r"names .*Call, which could run code"),
    "random state": (pickle.dumps({"A": np.random.default_rng(0)}), r"names numpy\S* which could run code"),
    "words of numpy": (pickle.dumps({"A": np.str_("a")}), r"a numpy scalar that is not a number"),
    "call of a number": (b"cnumpy\ndtype\n(S'O'\ntRcnumpy\ndtype\nb.", "is not a readable pickle file"),
    "no dictionary": (pickle.dumps([1, 2]), r"holds a list, expected a dictionary"),
    "empty": (pickle.dumps({}), r"holds a dict, expected a dictionary with a name for each gene"),
    "numbers as names": (pickle.dumps({1: "A"}), r"holds a dict, expected a dictionary with a name"),
    "cut": (pickle.dumps({"A": 1, "B": 2})[:-4], r"is not a readable pickle file \("),
    "no pickle": (b"<html>", r"is not a readable pickle file"),
    "memo of gigabytes": (b"\x80\x02}r" + struct.pack("<I", 2**31) + b".", r"pickle file \(ValueError: memo index"),
    "bytes of gigabytes": (b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".", r"is not a readable pickle file"),
}


@pytest.mark.parametrize("case", BAD_PICKLES)
def test_bad_pickles(tmp_path, case, capfd):
    content, expected = BAD_PICKLES[case]
    (tmp_path / "d.pkl").write_bytes(content)
    with pytest.raises(AdapterError, match=rf"d\.pkl .*{expected}|d\.pkl {expected}") as caught:
        read_dictionary(tmp_path / "d.pkl")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_pickle_cannot_change_what_stands_for_numpy(tmp_path):
    for target in (b"cnumpy._core.multiarray\nscalar\n", b"cnumpy\ndtype\n"):
        (tmp_path / "d.pkl").write_bytes(target + b"N}S'code'\nS'i8'\ns\x86b.")
        with pytest.raises(AdapterError, match="is not a readable pickle file"):
            read_dictionary(tmp_path / "d.pkl")
    (tmp_path / "d.pkl").write_bytes(pickle.dumps({"A": np.int64(7)}))
    assert read_dictionary(tmp_path / "d.pkl") == {"A": 7}


def test_dictionaries_have_a_bound(tmp_path, monkeypatch):
    assert MAX_DICTIONARY_BYTES > 10_000_000
    monkeypatch.setattr("model_adapters.single_cell.checkpoints.MAX_DICTIONARY_BYTES", 10)
    (tmp_path / "d.json").write_text(json.dumps({"A": 1, "B": 2}))
    with pytest.raises(AdapterError, match=r"d.json is not a readable JSON file \(ValueError: more than 10 bytes\)"):
        read_dictionary(tmp_path / "d.json")
    (tmp_path / "d.json").write_text('{"A"')
    with pytest.raises(AdapterError, match=r"d.json is not a readable JSON file \(JSONDecodeError: "):
        read_dictionary(tmp_path / "d.json")
