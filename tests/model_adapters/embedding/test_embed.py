import errno
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset, Features, List, Value, are_progress_bars_disabled, enable_progress_bars, load_from_disk

from model_adapters import AdapterError, as_matrix, choose_device, embed, embedding_sha256
from model_adapters.embedding.embed import DEFAULT_BATCH_SIZE

TABLE = Features({"symbol": Value("string"), "embedding": List(Value("float32"), length=2)})


def test_columns_types_and_values(genes, counting):
    table = embed(genes, counting)
    assert table.features == TABLE
    symbols, vectors = as_matrix(table)
    assert symbols == ["TP53", "INS", "NA", "MYC", "nan"]
    expected = [[len(text), text.count(" ")] for text in genes["description"]]
    np.testing.assert_array_equal(vectors, np.array(expected, dtype=np.float32))


def test_loads_once_fits_once_on_the_whole_column_then_encodes_in_batches(genes, counting):
    embed(genes, counting, batch_size=2, device="cpu")
    descriptions = genes["description"][:]
    longest_first = sorted(descriptions, key=len, reverse=True)
    assert counting.calls == [
        ("load", "cpu"),
        ("fit", descriptions),
        ("encode", longest_first[:2]),
        ("encode", longest_first[2:4]),
        ("encode", longest_first[4:]),
    ]


@pytest.mark.parametrize(("own", "given", "expected"), [(None, None, [5]), (3, None, [3, 2]), (3, 4, [4, 1])])
def test_batch_size_is_the_argument_then_the_models_own_then_the_default(genes, counting, own, given, expected):
    assert DEFAULT_BATCH_SIZE > 5
    counting.batch_size = own
    embed(genes, counting, batch_size=given)
    assert [len(values) for call, values in counting.calls if call == "encode"] == expected


def test_a_model_needs_no_base_class_no_load_no_fit(genes, make_model):
    table = embed(genes, make_model(lambda batch: [[float(len(text))] for text in batch]))
    assert as_matrix(table)[1][:, 0].tolist() == [len(text) for text in genes["description"]]


def test_format_of_the_gene_table_does_not_reach_the_model(genes, counting):
    plain = embed(genes, counting)
    formatted = embed(genes.with_format("numpy"), counting)
    assert formatted[:] == plain[:]
    assert all(type(text) is str for call, values in counting.calls if call == "encode" for text in values)


def test_genes_without_input_are_left_out(counting):
    genes = Dataset.from_dict({"symbol": ["A", "B", "C"], "description": [None, "bb", "ccc"]})
    assert embed(genes, counting)[:] == {"symbol": ["B", "C"], "embedding": [[2.0, 0.0], [3.0, 0.0]]}


def test_second_call_comes_from_the_cache(genes_on_disk, counting, make_model):
    told = []
    first = embed(genes_on_disk, counting, on_encode=lambda: told.append("encoding"))
    calls = list(counting.calls)
    second = embed(genes_on_disk, counting, batch_size=1, on_encode=lambda: told.append("encoding"))
    assert counting.calls == calls
    assert told == ["encoding"]
    assert second[:] == first[:]
    assert second.features == first.features == TABLE


def test_in_memory_table_is_embedded_each_time(genes, counting):
    embed(genes, counting)
    embed(genes, counting)
    assert [call for call, _ in counting.calls].count("encode") == 2


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("model_id", "other"), ("revision", "2"), ("input_column", "name"), ("options", {"a": 1}), ("version", "2")],
)
def test_what_the_vectors_depend_on_is_in_the_cache_key(genes_on_disk, counting, attribute, value):
    embed(genes_on_disk, counting)
    counting.calls.clear()
    setattr(counting, attribute, value)
    embed(genes_on_disk, counting)
    assert "encode" in [call for call, _ in counting.calls]


def test_another_gene_table_is_another_key(genes_on_disk, counting):
    embed(genes_on_disk, counting)
    counting.calls.clear()
    assert len(embed(genes_on_disk.select([0, 3]), counting)) == 2
    assert ("encode", genes_on_disk.select([0, 3])["description"][:]) in counting.calls


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from datasets import load_from_disk
from model_adapters import embed, embedding_sha256

class Lengths:
    model_id, revision, input_column = "lengths", "1", "description"
    def load(self, device): print("load")
    def fit(self, values): print("fit")
    def encode(self, batch):
        print("encode")
        return np.array([[len(text)] for text in batch], dtype=float)

print(embedding_sha256(embed(load_from_disk(sys.argv[1]), Lengths(), device="cpu")))
"""


def test_a_new_process_finds_the_cache(genes_on_disk, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    folder = Path(genes_on_disk.cache_files[0]["filename"]).parent
    root = Path(__file__).parents[3]
    outputs = [
        subprocess.run(
            [sys.executable, str(script), str(folder)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        for _ in range(2)
    ]
    first, second = (output.stdout.split() for output in outputs)
    assert first[:3] == ["load", "fit", "encode"]
    assert second == first[3:]
    assert [output.stderr for output in outputs] == ["", ""]


def test_a_failed_embedding_leaves_nothing_in_the_cache(genes_on_disk, make_model):
    folder = Path(genes_on_disk.cache_files[0]["filename"]).parent
    before = sorted(folder.iterdir())
    done = []

    def fails_in_the_second_batch(batch):
        if done:
            message = "no such layer\nand a second line"
            raise ValueError(message)
        done.append(batch)
        return np.ones((len(batch), 2))

    with pytest.raises(AdapterError, match=r"^mine: .*MYC: ValueError: no such layer$"):
        embed(genes_on_disk, make_model(fails_in_the_second_batch), batch_size=2)
    assert sorted(folder.iterdir()) == before
    table = embed(genes_on_disk, make_model(lambda batch: np.zeros((len(batch), 2))), batch_size=2)
    assert as_matrix(table)[1].tolist() == [[0.0, 0.0]] * 5


@pytest.fixture
def refuse(genes_on_disk):
    """Make a system call fail for the folder of the gene table."""
    folder = genes_on_disk.cache_files[0]["filename"].rpartition("/")[0]

    @contextmanager
    def refused(name, number):
        original = getattr(sys.modules[name.partition(".")[0]], name.partition(".")[2])

        def call(target, *arguments, **options):
            if isinstance(target, int) or str(target).startswith(folder):
                raise OSError(number, os.strerror(number))
            return original(target, *arguments, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(name, call)
            yield

    return refused


CANNOT = {
    "no locks": ("fcntl.flock", errno.ENOLCK),
    "lock of another user": ("fcntl.flock", errno.EPERM),
    "read-only": ("os.mkdir", errno.EROFS),
}


@pytest.mark.parametrize("case", CANNOT)
def test_a_cache_that_cannot_be_written_is_named_and_still_serves(genes_on_disk, counting, refuse, caplog, case):
    folder = Path(genes_on_disk.cache_files[0]["filename"]).parent
    before = sorted(folder.iterdir())
    expected = [[len(text), text.count(" ")] for text in genes_on_disk["description"]]
    with refuse(*CANNOT[case]):
        assert embed(genes_on_disk, counting)["embedding"][:] == expected
    assert [path for path in sorted(folder.iterdir()) if path.suffix != ".lock"] == before
    reason = os.strerror(CANNOT[case][1])
    assert str(folder) in caplog.text
    assert reason in caplog.text
    assert "HF_HOME" in caplog.text
    embed(genes_on_disk, counting)
    counting.calls.clear()
    with refuse(*CANNOT[case]):
        assert embed(genes_on_disk, counting)["embedding"][:] == expected
    assert counting.calls == []


def test_a_full_disk_is_one_line_and_what_is_done_stays(tmp_path, repo):
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, cwd=repo, capture_output=True, text=True, check=True)
    lines = [
        f"{tmp_path}/genes: vectors cannot be written (File too large); set HF_HOME or HF_DATASETS_CACHE to a folder "
        "on a local disk with room"
    ] * 3
    assert done.stdout.splitlines() == [*lines, "600 rows, 0 calls"]


FULL = """
import resource, signal, sys
import numpy as np
from datasets import Dataset, disable_progress_bars, load_from_disk
from model_adapters import embed
from model_adapters.errors import CacheError

class Wide:
    model_id, revision, input_column, version, calls = "wide", "1", "name", "1", 0
    def encode(self, batch):
        Wide.calls += 1
        return np.full((len(batch), 100), 0.1)

disable_progress_bars()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = sys.argv[1] + "/genes"
Dataset.from_dict({"symbol": [f"G{i}" for i in range(600)], "name": ["x"] * 600}).save_to_disk(folder)
genes = load_from_disk(folder)
# A limit on the size of files fails as a full disk does: in a chunk, in all chunks together, in the table.
for size in (50_000, 200_000, 241_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        embed(genes, Wide())
    except CacheError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
Wide.calls = 0
print(f"{len(embed(genes, Wide()))} rows, {Wide.calls} calls")
"""


def test_an_edited_class_is_run_again(tmp_path, genes_on_disk):
    vectors = []
    for value in (1, 2):
        path = tmp_path / f"edited{value}.py"
        path.write_text(
            "class Mine:\n    model_id, revision, input_column = 'mine', None, 'name'\n"
            f"    def encode(self, batch):\n        return [[{value}.0] for _ in batch]\n"
        )
        sys.path.insert(0, str(tmp_path))
        try:
            module = __import__(f"edited{value}")
        finally:
            sys.path.remove(str(tmp_path))
        vectors.append(embed(genes_on_disk, module.Mine())[0]["embedding"])
    assert vectors == [[1.0], [2.0]]


def test_progress_is_on_stderr_and_only_if_asked_for(genes, counting, capfd):
    # A command that an earlier test ran in this process may have hidden the bars.
    enable_progress_bars()
    embed(genes, counting)
    assert capfd.readouterr() == ("", "")
    embed(genes, counting, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "Embedding genes with counting" in err
    assert not are_progress_bars_disabled()


BAD_BATCHES = {
    "one dimension": (lambda batch: np.ones(len(batch)), r"encode returned shape \(5,\); expected .* shape \(5, d\)"),
    "rows": (lambda batch: np.ones((3, 2)), r"returned shape \(3, 2\); expected .* \(5, d\) for .* gene TP53"),
    "no columns": (lambda batch: np.ones((len(batch), 0)), r"returned shape \(5, 0\)"),
    "NaN": (lambda batch: np.array([[0, 1]] * 4 + [[np.nan, 1]]), r"NaN .* in the vector of nan; expected finite"),
    "inf": (lambda batch: np.array([[0, np.inf]] + [[1, 1]] * 4), r"an infinite number in the vector of TP53;"),
    "too large for float32": (lambda batch: np.full((5, 1), 1e300), r"infinite number in .* TP53, NA, MYC and 2 more"),
    "strings": (lambda batch: np.array([["a"]] * 5), r"returned ndarray of <U1; expected a NumPy float array"),
    "ragged": (lambda batch: [[1.0]] * 4 + [[1.0, 2.0]], r"returned a list that is not an array \(ValueError: "),
    "nothing": (lambda batch: None, r"returned NoneType of object; expected"),
    "gradient": (lambda batch: torch.ones(5, 2, requires_grad=True), r"returned a Tensor that is not an array"),
}


@pytest.mark.parametrize("case", BAD_BATCHES)
def test_what_encode_returns_is_checked(genes, make_model, case):
    encode, expected = BAD_BATCHES[case]
    with pytest.raises(AdapterError, match=expected) as caught:
        embed(genes, make_model(encode))
    assert str(caught.value).startswith("mine: ")
    assert "\n" not in str(caught.value)


def test_dimension_may_not_change_between_batches(genes, make_model):
    expected = r"returned shape \(1, 1\); expected .* \(1, 2\) for the batch that begins with gene nan$"
    with pytest.raises(AdapterError, match=expected):
        embed(genes, make_model(lambda batch: np.ones((len(batch), len(batch)))), batch_size=2)


def test_torch_tensors_are_taken(genes, make_model):
    table = embed(genes, make_model(lambda batch: torch.full((len(batch), 3), 0.5)))
    assert table[0]["embedding"] == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"symbol": ["A"], "descripton": ["a"]}, r"reads column 'description'.* has symbol, descripton; did you mean"),
        ({"gene": ["A"], "description": ["a"]}, r"reads column 'symbol', but the gene table has gene, description"),
        ({"symbol": [], "description": []}, r"the gene table has no rows"),
        ({}, r"has none"),
        ({"symbol": ["A", "B", "A"], "description": ["a", "b", "c"]}, r"1 symbol occurs more than once: A;"),
        ({"symbol": ["A", None], "description": ["a", "b"]}, r"no symbol in row 2;"),
        ({"symbol": ["A", "B"], "description": [None, None]}, r"column 'description', but it is empty for all 2 genes"),
    ],
)
def test_gene_tables_that_do_not_fit(counting, columns, expected):
    with pytest.raises(AdapterError, match=expected):
        embed(Dataset.from_dict(columns), counting)
    assert counting.calls == []


def test_a_table_without_sequences_says_where_they_come_from(genes, make_model):
    expected = (
        r"has symbol, name, description; the table has it where the data directory holds UniProt's proteins \(see docs"
    )
    with pytest.raises(AdapterError, match=expected):
        embed(genes, make_model(len, input_column="protein_sequence"))


def test_a_device_that_is_not_there_is_told_where_nothing_is_computed(genes):
    model = type("Table", (), {"table": lambda self: genes})()
    assert embed(genes, model, device="cpu") is genes
    with pytest.raises(AdapterError, match=r"^unknown device 'gpu', expected cuda, mps, cpu"):
        embed(genes, model, device="gpu")


def test_objects_that_are_no_model(genes, make_model):
    with pytest.raises(AdapterError, match=r"^object has no method encode\(batch\)"):
        embed(genes, object())
    with pytest.raises(AdapterError, match=r"^Mine.model_id is None, expected a non-empty string"):
        embed(genes, make_model(len, model_id=None))
    with pytest.raises(
        AdapterError, match=r"^Mine.batch_length is 0, expected a whole number, 1 or above, or None; set"
    ):
        embed(genes, make_model(len, batch_length=0))
    with pytest.raises(AdapterError, match=r"^mine: options must be plain numbers"):
        embed(genes, make_model(len, options={"pooling": max}))
    with pytest.raises(AdapterError, match=r"^batch size is 0, expected 1 or more"):
        embed(genes, make_model(len), batch_size=0)


@pytest.mark.parametrize("hook", ["load", "fit"])
def test_failing_hooks_are_one_line(genes, make_model, hook):
    def fail(_):
        message = "weights.bin"
        raise FileNotFoundError(message)

    model = make_model(lambda batch: np.ones((len(batch), 1)), **{hook: staticmethod(fail)})
    with pytest.raises(AdapterError, match=r"^mine: .*FileNotFoundError: weights.bin$") as caught:
        embed(genes, model, device="cpu")
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_device(monkeypatch):
    assert choose_device("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device() == "cpu"
    with pytest.raises(AdapterError, match=r"^device 'cuda:1' is not on this machine;.* 'cpu'$"):
        choose_device("cuda:1")
    with pytest.raises(AdapterError, match=r"'cdua'.*'cuda'"):
        choose_device("cdua")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device() == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device() == choose_device("cuda") == "cuda"
    assert choose_device("cuda:0") == "cuda:0"
    with pytest.raises(AdapterError, match=r"^device 'cuda:1' is not on this machine"):
        choose_device("cuda:1")


def test_load_from_disk_keeps_the_hash(genes_on_disk, counting, tmp_path):
    table = embed(genes_on_disk, counting)
    table.save_to_disk(tmp_path / "table")
    assert embedding_sha256(load_from_disk(tmp_path / "table")) == embedding_sha256(table)


def test_a_masked_array_is_refused(genes, make_model):
    model = make_model(lambda batch: np.ma.masked_array(np.ones((len(batch), 2)), [[True, False]] * len(batch)))
    with pytest.raises(AdapterError, match=r"^mine: encode returned: a masked array; expected plain numbers, "):
        embed(genes, model)
    for kind in (complex, bool):
        model = make_model(lambda batch, kind=kind: np.ones((len(batch), 2), dtype=kind))
        with pytest.raises(AdapterError, match=rf"^mine: encode returned ndarray of {kind.__name__}.*; expected"):
            embed(genes, model)
