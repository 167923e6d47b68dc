import logging
import re

import numpy as np
import pytest
import torch
from datasets import Dataset

from model_adapters import AdapterError, as_matrix, embed, load_model
from model_adapters.embedding import embed as embedding
from model_adapters.embedding.chunks import chunk_bounds
from model_adapters.errors import RefusedInput


def table_of(lengths):
    texts = ["x" * length for length in lengths]
    return Dataset.from_dict({"symbol": [f"G{i}" for i in range(len(texts))], "description": texts})


class Limited:
    """Has memory for so many characters at once, padding counted, and records the batches that fitted."""

    model_id, revision, input_column = "limited", "1", "description"

    def __init__(self, memory, error=MemoryError):
        self.memory, self.error, self.batches = memory, error, []

    def encode(self, batch):
        if len(batch) * max(map(len, batch)) > self.memory:
            message = "CUDA out of memory. Tried to allocate 2 GiB"
            raise self.error(message)
        self.batches.append([len(text) for text in batch])
        return np.array([[len(text)] for text in batch], dtype=float)


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError, RuntimeError])
def test_out_of_memory_halves_the_batch_and_goes_on(error, caplog):
    lengths = [2, 8, 4, 8, 1, 8, 8, 4, 1, 2]
    model = Limited(16, error)
    with caplog.at_level(logging.WARNING):
        table = embed(table_of(lengths), model, batch_size=8)
    assert as_matrix(table)[1][:, 0].tolist() == lengths
    # 8 are tried, then 4, then 2 of 8 characters; so 4 of the 4 or 2 characters fit.
    assert model.batches == [[8, 8], [8, 8], [4, 4, 2, 2], [1, 1]]
    said = [record.getMessage() for record in caplog.records]
    assert [re.findall(r"\d+", line) for line in said] == [["8", "4"], ["4", "2"]]


def test_a_gene_too_large_for_memory_is_named():
    with pytest.raises(AdapterError, match=r"^limited: not enough memory to encode gene G1 alone; try another "):
        embed(table_of([3, 20, 20]), Limited(16))


def test_other_errors_are_not_taken_for_memory(genes, make_model):
    def fail(batch):
        message = "size mismatch"
        raise RuntimeError(message)

    with pytest.raises(AdapterError, match=r"^mine: encode failed on .* gene TP53: RuntimeError: size mismatch$"):
        embed(genes, make_model(fail))


def test_batch_length_limits_what_is_padded():
    model = Limited(1000)
    model.batch_length = 12
    lengths = [6, 1, 20, 6, 3, 3, 3, 1]
    assert as_matrix(embed(table_of(lengths), model))[1][:, 0].tolist() == lengths
    assert model.batches == [[20], [6, 6], [3, 3, 3, 1], [1]]


def test_lists_are_sorted_by_items_and_numbers_not_at_all(make_model):
    batches = []

    def encode(batch):
        batches.append(batch)
        return np.ones((len(batch), 1))

    genes = Dataset.from_dict({"symbol": ["A", "B", "C"], "ids": [[1], [1, 2], []], "count": [0, 5, 3]})
    assert embed(genes, make_model(encode, input_column="ids"))["symbol"][:] == ["A", "B"]
    assert embed(genes, make_model(encode, input_column="count"))["symbol"][:] == ["A", "B", "C"]
    assert batches == [[[1, 2], [1]], [0, 5, 3]]


def test_genes_with_blank_input_are_left_out_and_named(counting, caplog):
    texts = ["aa", "", None, " \n", "b", "", "\t"]
    genes = Dataset.from_dict({"symbol": list("ABCDEFG"), "description": texts})
    assert embed(genes, counting)["symbol"][:] == ["A", "E"]
    assert ("fit", ["aa", "b"]) in counting.calls
    assert caplog.messages == ["counting: 5 of 7 genes have no description and are left out: B, C, D and 2 more"]


def test_a_refused_value_names_the_gene(genes, make_model):
    def encode(batch):
        raise RefusedInput(1, "letter 'Ö' at position 4 is no amino acid")

    with pytest.raises(AdapterError, match=r"^mine: gene NA: letter 'Ö' at position 4 is no amino acid$"):
        embed(genes, make_model(encode))


@pytest.mark.parametrize(("n", "chunk", "processes"), [(7, 3, 2), (10, 4, 3), (2, 5, 2), (9, 3, 1)])
def test_chunks_are_the_batches_that_map_makes(n, chunk, processes):
    seen = []
    for rank in range(processes):
        shard = Dataset.from_dict({"row": range(n)}).shard(processes, rank, contiguous=True)
        options = {"input_columns": "row", "batched": True, "batch_size": chunk}
        shard.map(lambda rows: seen.append((rows[0], rows[-1] + 1)), **options)
    assert chunk_bounds(n, chunk=chunk, processes=processes) == seen


OWN = """
import os
import numpy as np

class Mine:
    model_id, revision, input_column, batch_size = "mine", "1", "description", 4

    def load(self, device):
        self.process = os.getpid()

    def fit(self, values):
        self.n = len(values)

    def encode(self, batch):
        return np.array([[len(text), self.n, self.process] for text in batch], dtype=float)
"""


@pytest.mark.parametrize("failure", ["{}['layer']", "raise SystemExit('gone')"])
def test_a_failure_in_a_users_file_names_the_line(tmp_path, failure):
    path = tmp_path / "mine.py"
    path.write_text(OWN.replace("def encode(self, batch):", f"def encode(self, batch):\n        {failure}"))
    line = next(at for at, text in enumerate(path.read_text().splitlines(), start=1) if failure in text)
    with pytest.raises(AdapterError, match=rf"^mine: encode failed on .*(KeyError|gone).* \(mine.py, line {line}\)$"):
        embed(table_of([3]), load_model(f"{path}:Mine"), device="cpu")


def test_two_processes_share_the_work(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    lengths = list(range(1, 601))
    table = embed(table_of(lengths), load_model(f"{path}:Mine"), device="cpu,cpu")
    vectors = as_matrix(table)[1]
    assert vectors[:, 0].tolist() == lengths
    assert set(vectors[:, 1]) == {600}
    _, counts = np.unique(vectors[:, 2], return_counts=True)
    assert counts.tolist() == [300, 300]


def test_an_error_in_one_of_two_processes_is_one_line(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN.replace("self.process]", "np.nan]"))
    with pytest.raises(AdapterError, match=r"^mine: encode returned: NaN .* in the vector of G\d+, ") as caught:
        embed(table_of(range(1, 601)), load_model(f"{path}:Mine"), device="cpu,cpu")
    assert "\n" not in str(caught.value)


def test_a_killed_process_is_one_line(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN.replace("self.n = len(values)", "os.kill(os.getpid(), 9)"))
    with pytest.raises(AdapterError, match=r"^mine: a process ended before its work was done \(RuntimeError: .*; run"):
        embed(table_of(range(1, 601)), load_model(f"{path}:Mine"), device="cpu,cpu")


def test_vectors_of_a_text_model_do_not_depend_on_batches_or_order(minilm, monkeypatch):
    monkeypatch.setattr(embedding, "CHUNK", 8)
    rng = np.random.default_rng(0)
    words = ["DNA", "binds", "receptor", "kinase", "of", "the", "membrane", "insulin"]
    texts = [" ".join(rng.choice(words, size)) for size in rng.integers(1, 60, 40)]
    genes = Dataset.from_dict({"symbol": [f"G{i}" for i in range(40)], "description": texts})
    model = load_model(str(minilm))
    first = as_matrix(embed(genes, model, device="cpu"))[1]
    order = rng.permutation(40)
    other = as_matrix(embed(genes.select(order), model, batch_size=7, device="cpu"))[1]
    np.testing.assert_allclose(other, first[order], rtol=0, atol=1e-5)
