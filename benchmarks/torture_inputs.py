"""The mutations of `torture.py`: small valid files of every kind that is read, with a few changes each."""

import contextlib
import io
import json
import os
import pickle
import random
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HANG = 20
"""Seconds; a reader takes milliseconds."""
MEMORY = 4 * 1024**3
AT_ONCE = 250
"""Mutations of one process: one that dies is replaced."""
SYMBOLS = ["TP53", "INS", "NA", "MYC", "EGFR", "BRCA1", "GAPDH", "SEPTIN2", "MT-CO1", "HLA-A", "KRAS", "TNF"]
NASTY = (
    *(
        b"NaN",
        b"1e999",
        b"-1",
        b"0",
        b"9" * 400,
        b"null",
        b"[]",
        b"{}",
        b"\x00",
        b"\xff\xfe",
        b'"',
        b"'",
        b"\n",
        b"\r\n",
    ),
    *(b",", b"\t", b"[" * 2000, b"\\ud800", b"__class__", b"\xed\xa0\x80", b"&a [*a]", b"=1+1", b"\x1b[31m"),
)
TASK = """
import pandas as pd
from builders import GeneTaskBuilder, Source, TaskConfig

class Mine(GeneTaskBuilder):
    SOURCE = Source(name="mine", title="Mine", files={})
    PACKAGED = True
    BUILDER_CONFIGS = [TaskConfig("mine_task", target="binary")]

    def rows(self, config):
        return pd.DataFrame({"symbol": [f"G{i}" for i in range(40)], "label": [i % 2 for i in range(40)]})
"""


def change(content: bytes, luck: random.Random) -> bytes:
    """A few changes: bits, pieces cut out, doubled or exchanged, and words that parsers stumble over."""
    made = bytearray(content)
    for _ in range(luck.choice((1, 1, 2, 5))):
        at = luck.randrange(len(made) + 1)
        until = min(len(made), at + luck.choice((1, 4, 30, len(made))))
        kind = luck.randrange(6)
        if kind == 0 and at < len(made):
            made[at] ^= 1 << luck.randrange(8)
        elif kind == 1:
            del made[at:until]
        elif kind == 2:
            made[at:at] = made[at:until]
        elif kind == 3:
            made[at:at] = luck.choice(NASTY)
        elif kind == 4:
            made[at:until] = luck.choice(NASTY)
        elif at < len(made):
            made[at] = luck.randrange(256)
    return bytes(made)


def vector_files(folder: Path) -> dict[str, bytes]:
    """One small file of each format: extension -> content."""
    import pandas as pd
    import pyarrow as pa
    import torch
    from pyarrow import feather
    from safetensors.torch import save

    luck = np.random.default_rng(0)
    vectors = luck.normal(size=(len(SYMBOLS), 5)).astype(np.float32)
    frame = pd.DataFrame(vectors, columns=[f"d{i}" for i in range(5)]).assign(symbol=SYMBOLS)
    lists = pd.DataFrame({"symbol": SYMBOLS, "embedding": vectors.tolist()})
    tensors = {symbol: torch.tensor(row) for symbol, row in zip(SYMBOLS, vectors, strict=True)}
    plain = {symbol: row.tolist() for symbol, row in zip(SYMBOLS, vectors, strict=True)}
    buffers: dict[str, io.BytesIO] = {
        name: io.BytesIO() for name in ("npz", "pt", "feather", "parquet", "list.parquet")
    }
    np.savez(buffers["npz"], X=vectors, genes=np.array(SYMBOLS))
    torch.save(tensors, buffers["pt"])
    feather.write_feather(pa.Table.from_pandas(frame), buffers["feather"])
    frame.to_parquet(buffers["parquet"])
    lists.to_parquet(buffers["list.parquet"])
    words = [f"{symbol} {' '.join(map(str, row))}" for symbol, row in plain.items()]
    binary = b"".join(symbol.encode() + b" " + row.tobytes() for symbol, row in zip(SYMBOLS, vectors, strict=True))
    files = {name: buffer.getvalue() for name, buffer in buffers.items()} | {
        "csv": frame.to_csv(index=False).encode(),
        "tsv": frame.to_csv(index=False, sep="\t").encode(),
        "list.csv": lists.to_csv(index=False).encode(),
        "json": json.dumps(plain).encode(),
        "jsonl": lists.to_json(orient="records", lines=True).encode(),
        "pkl": pickle.dumps(plain),
        "arrays.pkl": pickle.dumps({"genes": SYMBOLS, "X": vectors}),
        "safetensors": save(tensors),
        "txt": "\n".join([f"{len(SYMBOLS)} 5", *words]).encode(),
        "bin": f"{len(SYMBOLS)} 5\n".encode() + binary,
    }
    with contextlib.suppress(ImportError):
        files["h5ad"] = _h5ad(folder / "made.h5ad", vectors)
    return files


def _h5ad(path: Path, vectors: Any) -> bytes:
    import h5py

    with h5py.File(path, "w") as file:
        file["varm/X"] = vectors
        file["var/_index"] = SYMBOLS
        file["var"].attrs["_index"] = "_index"
    return path.read_bytes()


def _read_vectors(path: Path) -> None:
    from model_adapters import embed_table, load_model

    table = embed_table(None, load_model(str(path)))
    assert np.isfinite(table.matrix).all()
    assert len(set(table.symbols)) == len(table.symbols)


def _read_result(path: Path) -> None:
    import gene_eval
    from gene_eval.reporting import text

    found = gene_eval.load_results(path.parent.parent)
    if found.results:
        for render in text.RENDERERS.values():
            render(found.report)


def _read_card(path: Path) -> None:
    from gene_eval.errors import CardError
    from gene_eval.publishing.card_checks import check_accepted
    from gene_eval.publishing.card_merge import merge_card

    try:
        card = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return
    with contextlib.suppress(CardError):
        check_accepted(card)
    merge_card(card, title="M", section="New.\n", index=[{"task": {"type": "x"}, "source": {"name": "gene-bench"}}])


def _read_task(path: Path) -> None:
    from builders import RawFiles
    from gene_eval.running.tasks import collect_tasks

    list(collect_tasks([f"{path}:Mine"], RawFiles(None)))


def _read_table(path: Path) -> None:
    import pandas as pd

    from builders import RawFiles
    from gene_eval.running.tasks import collect_tasks

    try:
        frame = pd.read_csv(path, keep_default_na=False)
    except Exception:  # noqa: BLE001 - what pandas does not read is no table to begin with
        return
    list(collect_tasks({"mine": frame}, RawFiles(None)))


CARD = b"""---
license: mit
datasets: [a, b]
model-index:
- name: M
  results:
  - task: {type: x}
    dataset: {name: d, type: d}
    metrics: [{type: accuracy, value: 0.5}]
    source: {name: gene-bench}
---
# M

Text.
"""


def inputs(work: Path) -> list[tuple[str, str, bytes, Callable[[Path], None]]]:
    """(kind, file, valid content, reader) of everything that is mutated."""
    (result,) = [path for path in (work / "complete/results").glob("bag-of-words/starter_location.json")]
    table = "symbol,label\n" + "".join(f"G{i},{i % 3}\n" for i in range(60))
    return [
        *(("vectors", f"mine.{name}", content, _read_vectors) for name, content in vector_files(work).items()),
        *[("result", f"out/mine/{result.name}", result.read_bytes(), _read_result)] * 4,
        *[("card", "README.md", CARD, _read_card)] * 4,
        ("table", "table.csv", table.encode(), _read_table),
        ("task", "task.py", TASK.encode(), _read_task),
    ]


def mutate(work: Path, tally: Any, *, count: int, seed: int) -> None:
    """Read `count` mutated files, in processes that are replaced if they die."""
    from gene_eval.errors import GeneBenchError

    chosen = inputs(work)
    for number in range(0, count, AT_ONCE):
        first, last = number, min(count, number + AT_ONCE)
        while first < last:
            read, write = os.pipe()
            process = os.fork()
            if not process:
                os.close(read)
                _read_all(chosen, range(first, last), work / "mutations", os.fdopen(write, "w"), seed, GeneBenchError)
            os.close(write)
            with os.fdopen(read) as pipe:
                lines = pipe.read().splitlines()
            _, status = os.waitpid(process, 0)
            for line in lines:
                at, _, fault = line.partition(" ")
                if fault:
                    kind, _, text = fault.partition(" ")
                    tally.add("mutations", kind, f"mutation {at} of seed {seed}: {text}")
            reached = int(lines[-1].partition(" ")[0]) if lines else first
            if status:
                dead = os.waitstatus_to_exitcode(status)
                fault = "hang" if dead == -signal.SIGALRM else "traceback"
                name = chosen[random.Random(f"{seed} mutation {reached}").randrange(len(chosen))][1]
                tally.add("mutations", fault, f"mutation {reached} of seed {seed}: {name} (status {dead})")
            first = reached + 1
        tally.done["mutations"] = last


def _read_all(
    chosen: list[tuple[str, str, bytes, Callable[[Path], None]]],
    numbers: range,
    folder: Path,
    pipe: Any,
    seed: int,
    accepted: type[Exception],
) -> None:
    """Read mutations in this process, and end it."""
    import resource

    import datasets

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    datasets.config.HF_DATASETS_CACHE = folder / "cache"
    sys.stderr = sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
    warnings.simplefilter("ignore")
    for number in numbers:
        luck = random.Random(f"{seed} mutation {number}")
        _, name, content, reader = chosen[luck.randrange(len(chosen))]
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(change(content, luck))
        print(number, file=pipe, flush=True)
        # Its default ends the process, also inside a library that does not return to Python.
        signal.alarm(HANG)
        try:
            reader(path)
        except accepted as error:
            if "\n" in str(error):
                print(number, "traceback", f"{name}: more than one line: {str(error)!r}", file=pipe, flush=True)
        except BaseException:  # noqa: BLE001 - whatever it is, it is what is looked for
            last = traceback.format_exc().strip().replace("\n", " | ")[-500:]
            print(number, "traceback", f"{name}: {last}", file=pipe, flush=True)
        signal.alarm(0)
        path.unlink(missing_ok=True)
    os._exit(0)
