import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset, load_from_disk

from model_adapters import as_matrix, embed, embed_table
from model_adapters.embedding.chunks import save_chunk

N = 2000
SCRIPT = """
import sys, time
import numpy as np
from datasets import load_from_disk
from model_adapters import embed

class Slow:
    model_id, revision, input_column, version = "slow", "1", "description", "1"
    seconds = float(sys.argv[2])
    def encode(self, batch):
        time.sleep(self.seconds)
        print(len(batch), flush=True)
        return np.array([[len(text), len(text) ** 0.5] for text in batch], dtype=float)

table = embed(load_from_disk(sys.argv[1]), Slow(), batch_size=64)
print("file", table.cache_files[0]["filename"])
"""


@pytest.fixture
def folders(tmp_path):
    """Two copies of one gene table on disk."""
    texts = ["x" * (i % 97 + 1) for i in range(N)]
    genes = Dataset.from_dict({"symbol": [f"G{i}" for i in range(N)], "description": texts})
    genes.save_to_disk(tmp_path / "first")
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    return tmp_path / "first", tmp_path / "second"


def start(tmp_path, folder, seconds):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, str(script), str(folder), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def finish(process):
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    *batches, file = out.splitlines()
    return sum(map(int, batches)), hashlib.sha256(Path(file.removeprefix("file ")).read_bytes()).hexdigest()


# Zero seconds a batch make an undisturbed run, some make one that can be killed.
def test_killed_in_the_middle_and_run_again_gives_the_bytes_of_an_undisturbed_run(folders, tmp_path):
    first, second = folders
    encoded, expected = finish(start(tmp_path, first, 0))
    assert encoded == N
    process = start(tmp_path, second, 0.05)
    deadline = time.monotonic() + 60
    while len(list(second.glob("embedding-*/[0-9]*.chunk"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    done = len(list(second.glob("embedding-*/[0-9]*.chunk"))) * 256
    assert 3 * 256 <= done < N
    assert not list(second.glob("cache-*.arrow"))
    encoded, again = finish(start(tmp_path, second, 0))
    assert encoded == N - done
    assert again == expected
    assert sorted(path.name for path in second.iterdir()) == sorted(path.name for path in first.iterdir())
    assert not list(second.glob("embedding-*"))


def test_two_processes_that_embed_the_same_do_it_once(folders, tmp_path):
    both = [start(tmp_path, folders[0], 0.02) for _ in range(2)]
    (first, hash_of_first), (second, hash_of_second) = map(finish, both)
    assert {first, second} == {0, N}
    assert hash_of_first == hash_of_second


class FailsAt:
    model_id, revision, input_column, version, batch_size = "fails", "1", "description", "1", 256

    def __init__(self, call):
        self.call, self.calls = call, 0

    def encode(self, batch):
        self.calls += 1
        if self.calls == self.call:
            raise KeyboardInterrupt
        return np.array([[len(text)] for text in batch])


def test_interrupted_from_the_keyboard_goes_on_too(folders):
    genes = load_from_disk(folders[0])
    with pytest.raises(KeyboardInterrupt):
        embed(genes, FailsAt(4))
    model, told = FailsAt(None), []
    table = embed(genes, model, on_encode=lambda: told.append(1))
    assert (model.calls, told) == (8 - 3, [1])
    assert as_matrix(table)[1][:, 0].tolist() == [i % 97 + 1 for i in range(N)]


DAMAGES = {
    "truncated": lambda content: content[:-5],
    "empty": lambda content: b"",
    "a bit": lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
    "foreign": lambda content: content[32:],
    "a folder": lambda content: None,
}


def put(path, content):
    """Write a file anew, or a folder in its place."""
    path.unlink()
    path.mkdir() if content is None else path.write_bytes(content)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_chunks_are_encoded_again(folders, damage, caplog):
    genes = load_from_disk(folders[0])
    with pytest.raises(KeyboardInterrupt):
        embed(genes, FailsAt(4))
    (chunk, *_) = sorted(folders[0].glob("embedding-*/*.chunk"))
    put(chunk, DAMAGES[damage](chunk.read_bytes()))
    model = FailsAt(None)
    assert as_matrix(embed(genes, model))[1][:, 0].tolist() == [i % 97 + 1 for i in range(N)]
    assert model.calls == 8 - 2
    assert "not the vectors that were saved; its 256 genes are encoded again" in caplog.text


OTHER_CONTENT = [
    np.full((256, 1), np.nan, dtype=np.float32),
    np.ones((255, 1), dtype=np.float32),
    np.ones((256, 1), dtype=np.float64),
]


@pytest.mark.parametrize("array", OTHER_CONTENT)
def test_chunks_with_other_content_are_encoded_again(folders, array):
    genes = load_from_disk(folders[0])
    with pytest.raises(KeyboardInterrupt):
        embed(genes, FailsAt(4))
    (chunk, *_) = sorted(folders[0].glob("embedding-*/*.chunk"))
    save_chunk(chunk, array)
    model = FailsAt(None)
    assert as_matrix(embed(genes, model))[1][:, 0].tolist() == [i % 97 + 1 for i in range(N)]
    assert model.calls == 8 - 2


CACHE_DAMAGES = {
    **DAMAGES,
    "zeros": lambda content: bytes(len(content)),
    "half": lambda content: content[: len(content) // 2],
}


@pytest.mark.parametrize("damage", CACHE_DAMAGES)
def test_damaged_vectors_in_the_cache_are_computed_again(folders, damage, caplog):
    genes = load_from_disk(folders[0])
    expected = embed_table(genes, FailsAt(None)).sha256
    (cached,) = folders[0].glob("cache-*.arrow")
    content = cached.read_bytes()
    put(cached, CACHE_DAMAGES[damage](content))
    model = FailsAt(None)
    assert embed_table(load_from_disk(folders[0]), model).sha256 == expected
    assert model.calls == 8
    assert cached.read_bytes() == content
    assert "the cached vectors are not those that were written; they are computed again" in caplog.text
    assert embed_table(load_from_disk(folders[0]), model).sha256 == expected
    assert model.calls == 8


def test_vectors_whose_hash_became_a_folder_are_computed_again(folders):
    genes = load_from_disk(folders[0])
    expected = embed_table(genes, FailsAt(None)).sha256
    (record,) = folders[0].glob("cache-*.sha256")
    content = record.read_bytes()
    put(record, None)
    assert embed_table(load_from_disk(folders[0]), FailsAt(None)).sha256 == expected
    assert record.read_bytes() == content
