"""Shards of an embedding: the vectors of one process, and no chunk encoded twice."""

import numpy as np
import pytest
from datasets import Dataset, load_from_disk

from model_adapters import as_matrix, embed, load_model
from model_adapters.embedding import embed as embedding
from model_adapters.embedding import shards
from model_adapters.embedding.shards import can_shard, encode_shard, keep_shards


class Padded:
    """What a vector is depends on the batch it is encoded in, as it does in the last digits of a real model's."""

    model_id, revision, input_column = "padded", "1", "description"

    def __init__(self):
        self.encoded = 0

    def encode(self, batch):
        self.encoded += len(batch)
        longest = max(map(len, batch))
        return np.array([[len(text), longest, len(batch)] for text in batch], dtype="float32")


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "CHUNK", 4)
    monkeypatch.setattr(shards, "LEAST", 10)
    texts = ["x" * (i * 7 % 23) for i in range(30)]
    Dataset.from_dict({"symbol": [f"G{i}" for i in range(30)], "description": texts}).save_to_disk(tmp_path / "genes")
    return lambda name: load_from_disk(copied(tmp_path / "genes", tmp_path / name))


def copied(folder, place):
    """Where another machine has the same table, with a cache of its own."""
    place.mkdir()
    for path in folder.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    return place


@pytest.mark.parametrize("of", [2, 3, 9])
def test_shards_together_are_what_one_process_encodes(table, of):
    alone, last = Padded(), Padded()
    wanted = embed(table("alone"), alone, batch_size=2)
    others = [Padded() for _ in range(of)]
    made = [
        encode_shard(table(f"machine{number}"), model, number=number, of=of, batch_size=2)
        for number, model in enumerate(others)
    ]
    here = table("here")
    assert keep_shards(here, last, made, batch_size=2) == min(of, 7)
    found = embed(here, last, batch_size=2)
    assert found["symbol"][:] == wanted["symbol"][:]
    assert as_matrix(found)[1].tobytes() == as_matrix(wanted)[1].tobytes()
    assert sum(model.encoded for model in others) == alone.encoded
    assert last.encoded == 0


def test_what_is_lacking_or_of_other_inputs_is_encoded(table):
    model = Padded()
    first, second = (encode_shard(table(f"m{number}"), model, number=number, of=2, batch_size=2) for number in (0, 1))
    here, model = table("here"), Padded()
    assert keep_shards(here, model, [first], batch_size=2) == 1
    embed(here, model, batch_size=2)
    assert model.encoded == sum(stop - start for start, stop in second.chunks)

    other, model = table("other"), Padded()
    other = other.map(lambda row: {"description": f"{row['description']}y"}, load_from_cache_file=False)
    assert keep_shards(other, model, [first, second], batch_size=2) == 0


def test_small_tables_and_cached_ones_are_not_encoded_in_shards(table, monkeypatch):
    genes, model = table("cached"), Padded()
    embed(genes, model)
    assert encode_shard(genes, model, number=0, of=2) is None
    monkeypatch.setattr(shards, "LEAST", 100)
    assert encode_shard(table("small"), model, number=0, of=2) is None


def test_models_that_see_a_whole_table_or_are_cheap_have_no_shards():
    assert can_shard(Padded())
    assert not any(
        can_shard(load_model(spec)) for spec in ("random:dim=4", "bag-of-words", "random:dim=4+bag-of-words")
    )
