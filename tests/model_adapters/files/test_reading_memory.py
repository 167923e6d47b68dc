"""How much memory it takes to read vectors: twice the file at most, and what it costs to begin."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from pyarrow import feather
from safetensors.torch import save_file

BEGINNING = 24e6
"""Bytes: blocks of text, a sample of its cells, what allocators keep."""
SCRIPT = """
import ctypes, gc, json, sys
from pathlib import Path
from model_adapters import load_model

def status(name):
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))

folder = Path(sys.argv[1])
for large in sorted((folder / "large").iterdir()):
    # Once for what is imported and kept for good.
    load_model(str(folder / "small" / large.name)).vector_table()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    open("/proc/self/clear_refs", "w").write("5")
    before = status("VmRSS")
    load_model(str(large)).vector_table()
    print(large.name, large.stat().st_size, status("VmHWM") - before)
"""


def write(folder: Path, vectors: np.ndarray) -> None:
    """Files of vectors whose reader once held them several times."""
    folder.mkdir()
    symbols = [f"G{i}" for i in range(len(vectors))]
    numbers = np.round(vectors[:, : vectors.shape[1] // 4].astype(float), 6).tolist()
    by_gene = dict(zip(symbols, vectors, strict=True))
    tensors = {symbol: torch.tensor(vector) for symbol, vector in by_gene.items()}
    lists = pa.table({"symbol": symbols, "embedding": pa.array(list(vectors), pa.list_(pa.float32()))})
    pq.write_table(lists, folder / "v.parquet")
    feather.write_feather(lists, folder / "v.feather", compression="lz4")
    columns = {f"d{i}": np.ascontiguousarray(vectors[:, i]) for i in range(100)}
    feather.write_feather(pa.table({"symbol": symbols, **columns}), folder / "w.feather", compression="lz4")
    (folder / "v.pkl").write_bytes(pickle.dumps({symbol: vector.copy() for symbol, vector in by_gene.items()}))
    save_file(tensors, folder / "v.safetensors")
    torch.save(tensors, folder / "v.pt")
    (folder / "v.json").write_text(json.dumps(dict(zip(symbols, numbers, strict=True))))
    records = zip(symbols, numbers, strict=True)
    (folder / "v.jsonl").write_text("".join(json.dumps({"symbol": s, "embedding": v}) + "\n" for s, v in records))
    words = [f"{symbol} {' '.join(map(str, v))}" for symbol, v in zip(symbols, numbers, strict=True)]
    (folder / "v.txt").write_text("\n".join(words))
    (folder / "v.csv").write_text(
        "\n".join([f"symbol,{','.join(map(str, range(len(numbers[0]))))}", *words]).replace(" ", ",")
    )


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of a process is read from Linux")
def test_a_file_is_in_memory_once_beside_its_vectors(tmp_path: Path, repo: Path) -> None:
    random = np.random.default_rng(0)
    write(tmp_path / "large", random.standard_normal((2000, 4000), dtype=np.float32))
    write(tmp_path / "small", random.standard_normal((20, 300), dtype=np.float32))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], cwd=repo, capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 10
    for _, size, peak in lines:
        assert float(peak) < 2.2 * float(size) + BEGINNING, done.stdout
