"""Vectors mixed over a graph are repeated products; eigenvectors are those of NumPy; walks go where node2vec says."""

import sys

import numpy as np
import pytest
import scipy.sparse

from model_adapters import AdapterError, as_matrix, embed, embedding_table, load_model
from model_adapters.embedding.table import EmbeddingTable
from model_adapters.graph.alone import random_walks

NAMES = [f"G{i}" for i in range(40)]
RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 6)).astype(np.float32)
A = np.triu(RNG.random((43, 43)) < 0.06, 1).astype(float)
A += A.T
A[7, :] = A[:, 7] = 0
LOOPS = A + np.eye(43)
P = LOOPS / np.sqrt(np.outer(LOOPS.sum(axis=0), LOOPS.sum(axis=0)))


class Access:
    """Forty genes and three terms."""

    def __init__(self, terms=None):
        self.terms = terms

    def normalised(self, symbols):
        assert list(symbols) == NAMES
        return scipy.sparse.csr_array(P), ["GO:1", "GO:2", "GO:3"]

    def term_vectors(self):
        return self.terms


@pytest.fixture
def vectors(tmp_path):
    embedding_table(NAMES, X).to_parquet(tmp_path / "mine.parquet")
    return tmp_path / "mine.parquet"


def of(model, access):
    model.take_graph(access)
    symbols, matrix = as_matrix(embed(None, model))
    assert symbols == NAMES
    return matrix


def test_sgc_is_repeated_products(vectors):
    model = load_model(f"propagate:graph=string+go,steps=3,model={vectors}")
    assert model.model_id == "propagate:graph=string+go,steps=3,model=mine"
    whole = np.concatenate([X, np.zeros((3, 6))])
    found = of(model, Access())
    np.testing.assert_allclose(found, (P @ P @ P @ whole)[:40], rtol=1e-4, atol=1e-6)
    # Without an edge a gene keeps its vector.
    np.testing.assert_allclose(found[7], X[7], rtol=1e-6)


def test_appnp_restarts_with_a_share(vectors):
    model = load_model(f"propagate:graph=go,steps=2,alpha=0.1,model={vectors}")
    terms = EmbeddingTable(["GO:3", "GO:1"], np.array([[1.0] * 6, [2.0] * 6], dtype=np.float32))
    start = np.concatenate([X, [[2.0] * 6, [0.0] * 6, [1.0] * 6]])
    once = 0.9 * (P @ start) + 0.1 * start
    expected = 0.9 * (P @ once) + 0.1 * start
    np.testing.assert_allclose(of(model, Access(terms)), expected[:40], rtol=1e-4, atol=1e-6)


def test_terms_of_another_length(vectors):
    model = load_model(f"propagate:graph=go,model={vectors}")
    model.take_graph(Access(EmbeddingTable(["GO:1"], np.ones((1, 2), dtype=np.float32))))
    with pytest.raises(AdapterError, match="vectors of terms have 2 numbers, those of genes 6"):
        embed(None, model)


def test_eigenvectors(tmp_path):
    from datasets import Dataset

    genes = Dataset.from_dict({"symbol": NAMES})
    model = load_model("spectral:graph=string,dim=4")
    model.take_graph(Access())
    symbols, matrix = as_matrix(embed(genes, model))
    assert set(symbols) == {name for name, row in zip(NAMES, A, strict=False) if row.any()}
    joined = np.flatnonzero(A.any(axis=1))
    values, directions = np.linalg.eigh(P[np.ix_(joined, joined)])
    best = np.argsort(-values)[:4]
    expected = (directions[:, best] * values[best])[joined < 40]
    # Up to the sign of each, and values are distinct here.
    np.testing.assert_allclose(np.abs(matrix), np.abs(expected), atol=1e-5)
    big = load_model("spectral:graph=string,dim=400")
    big.take_graph(Access())
    with pytest.raises(AdapterError, match="fewer than dim=400; take a smaller dim"):
        embed(genes, big)


def test_walks_go_by_the_weights_of_node2vec():
    # From 0 to 1; then back to 0 by 1/p, to 2, a neighbour of 0, by 1, or to 3, which is none, by 1/q.
    pairs = np.array([[0, 1], [0, 2], [1, 2], [1, 3]])
    graph = np.eye(4)
    graph[pairs[:, 0], pairs[:, 1]] = graph[pairs[:, 1], pairs[:, 0]] = 1
    walks = random_walks(
        scipy.sparse.csr_array(graph), np.zeros(40_000, dtype=int), 3, np.random.default_rng(0), p=4, q=0.5
    )
    assert (walks[:, 0] == 0).all()
    second = np.bincount(walks[:, 1], minlength=4) / 40_000
    np.testing.assert_allclose(second, [0, 0.5, 0.5, 0], atol=0.01)
    third = walks[walks[:, 1] == 1, 2]
    np.testing.assert_allclose(np.bincount(third, minlength=4) / len(third), np.array([1, 0, 4, 8]) / 13, atol=0.01)


class Groups(Access):
    """Two groups of twenty genes with one edge between them."""

    def normalised(self, symbols):
        one = np.arange(40) < 20
        graph = (one[:, None] == one).astype(float)
        graph[0, 39] = graph[39, 0] = 1
        return scipy.sparse.csr_array(graph), []


def test_node2vec_tells_groups_apart_and_repeats_itself(monkeypatch):
    from datasets import Dataset

    genes = Dataset.from_dict({"symbol": NAMES})
    found = []
    for _ in range(2):
        model = load_model("node2vec:graph=string,q=0.5,walks=60,window=3,dim=8")
        assert model.model_id == "node2vec:graph=string,q=0.5,walks=60,window=3,dim=8"
        model.take_graph(Groups())
        found.append(model.encode_table(genes).matrix)
    np.testing.assert_array_equal(*found)
    unit = found[0] / np.linalg.norm(found[0], axis=1, keepdims=True)
    alike, one = unit @ unit.T, np.arange(40) < 20
    assert alike[one][:, one].mean() > alike[one][:, ~one].mean() + 0.3
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(AdapterError, match=r"gensim.*'gene-bench\[graph\]'"):
        model.encode_table(genes)


def test_hidden_vectors_are_nested(vectors):
    hidden = []
    for share in (0, 0.25, 0.5):
        matrix = as_matrix(embed(None, load_model(f"masked:share={share},seed=1,{vectors}")))[1]
        zero = ~matrix.any(axis=1)
        np.testing.assert_array_equal(matrix[~zero], X[~zero])
        hidden.append(set(np.flatnonzero(zero)))
    assert list(map(len, hidden)) == [0, 10, 20]
    assert hidden[1] < hidden[2]


def test_without_a_graph_it_says_who_gives_it(vectors):
    with pytest.raises(AdapterError, match="graph string"):
        embed(None, load_model(f"propagate:graph=string,model={vectors}"))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("propagate:model=random", "propagate:model=random .*; write propagate:graph=GRAPH"),
        ("propagate:graph=string", "propagate:graph=string .*; write propagate:graph=GRAPH"),
        ("propagate:graph=string,alpha=1,model=random", "alpha is 1, expected a number from 0 to below 1"),
        ("propagate:graph=string,steps=0,model=random", "steps is 0, expected 1 or more"),
        ("spectral", "spectral needs a graph"),
        ("node2vec", "node2vec needs a graph"),
        ("node2vec:graph=string,p=0", "p is 0, expected a number above 0"),
        ("masked:random", "masked needs a share and a model"),
    ],
)
def test_what_cannot_be_made(model, message):
    with pytest.raises(AdapterError, match=message):
        load_model(model)
