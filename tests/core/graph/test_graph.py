"""Graphs of arrays: the formula by hand on five nodes, rewiring, and networks that repeat themselves."""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest
import scipy.sparse
import torch

from gene_eval.core.engines import Params
from gene_eval.core.errors import ProbeError, UnknownNameError
from gene_eval.core.graph import layers, networks, products
from gene_eval.core.graph.layers import Attention, Blocks, Convolutions, EdgeLists
from gene_eval.core.graph.nodes import Graph, normalised
from gene_eval.core.graph.rewiring import rewired
from gene_eval.core.heads.choices import head_name, load_head
from gene_eval.core.heads.graph import GraphHead, held_out
from gene_eval.core.probe import probe
from gene_eval.core.splits import Splits
from gene_eval.core.table import VectorTable

CPU = torch.device("cpu")
# A path 0-1-2-3, and node 4 alone.
FIVE = Graph(5, np.array([[0, 1, 2], [1, 2, 3]]), np.ones(3))
X5 = np.array([[1.0, 0], [0, 1], [2, 1], [1, 1], [3, -1]], dtype=np.float32)


def by_hand(hidden):
    """D^-1/2 (A + I) D^-1/2 H with the degrees 2, 3, 3, 2, 1 of the five nodes, written out."""
    a, b, c, d, e = hidden
    six = np.sqrt(6)
    return np.array([a / 2 + b / six, a / six + b / 3 + c / 3, b / 3 + c / 3 + d / six, c / six + d / 2, e])


def blocks(graph, nodes, X, layers):
    return Blocks.of(normalised(graph.adjacency), np.array(nodes), X, layers=layers, device=CPU)


def test_a_convolution_is_the_formula():
    np.testing.assert_allclose(normalised(FIVE.adjacency) @ X5, by_hand(X5), rtol=1e-6)
    network = Convolutions(2, 3, 1, layers=3, dropout=0.5).eval()
    w = [(layer.lin.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in network.layers]
    hidden = np.maximum(by_hand(X5 @ w[0][0]) + w[0][1], 0)
    hidden = np.maximum(by_hand(hidden @ w[1][0]) + w[1][1], 0)
    expected = by_hand(hidden @ w[2][0]) + w[2][1]
    # Of some nodes only, so that blocks are cut out.
    for nodes in ([0, 1, 2, 3, 4], [3, 0], [4]):
        made = blocks(FIVE, nodes, X5, 3)
        np.testing.assert_allclose(network(made, network.start(made)).detach(), expected[nodes], rtol=1e-5, atol=1e-6)


@pytest.fixture
def random_graph():
    rng = np.random.default_rng(0)
    edges = np.unique(np.sort(rng.integers(0, 60, (2, 150)), axis=0), axis=1)
    return Graph(60, edges[:, edges[0] != edges[1]], np.ones((edges[0] != edges[1]).sum()))


def test_networks_are_those_of_torch_geometric(random_graph):
    X = np.random.default_rng(1).standard_normal((60, 8)).astype(np.float32)
    both = torch.from_numpy(np.concatenate([random_graph.edges, random_graph.edges[::-1]], axis=1))
    x, nodes = torch.from_numpy(X), np.array([7, 3, 59])
    network = Convolutions(8, 5, 2, layers=2, dropout=0.5).eval()
    made = blocks(random_graph, nodes, X, 2)
    whole = [layers.GCNConv(8, 5), layers.GCNConv(5, 2)]
    for theirs, ours in zip(whole, network.layers, strict=True):
        theirs.load_state_dict(ours.state_dict())
    expected = whole[1](whole[0](x, both).relu(), both)[nodes]
    found = network(made, network.start(made))
    torch.testing.assert_close(found, expected)
    # The gradient goes through a product of our own.
    torch.testing.assert_close(
        torch.autograd.grad(found.sum(), network.layers[0].lin.weight)[0],
        torch.autograd.grad(expected.sum(), whole[0].lin.weight)[0],
    )
    attention = Attention(8, 5, 2, heads=3, dropout=0.6).eval()
    first, last = layers.GATConv(8, 5, heads=3), layers.GATConv(15, 2, heads=1, concat=False)
    first.load_state_dict(attention.first.state_dict())
    last.load_state_dict(attention.last.state_dict())
    lists = EdgeLists.of(random_graph.adjacency, nodes, X, limit=0, device=CPU)
    expected = last(torch.nn.functional.elu(first(x, both)), both)[nodes]
    found = attention(lists, attention.start(lists))
    torch.testing.assert_close(found, expected)
    for ours, theirs in zip(attention.parameters(), (*first.parameters(), *last.parameters()), strict=True):
        torch.testing.assert_close(
            *(torch.autograd.grad(made.square().sum(), own, retain_graph=True)[0]
              for made, own in ((found, ours), (expected, theirs)))
        )  # fmt: skip


def test_dropout_keeps_a_share_and_the_mean():
    torch.manual_seed(0)
    dropout, x = products.Dropout(0.6), torch.ones(1001, 37, requires_grad=True)
    y = dropout(x)
    kept = y != 0
    assert kept.float().mean() == pytest.approx(0.4, abs=0.01)
    np.testing.assert_allclose(y[kept].detach(), 2.5, rtol=1e-4)
    y.sum().backward()
    torch.testing.assert_close(x.grad, y.detach())
    # No column and no row is left out as a whole.
    assert kept.any(dim=0).all()
    assert kept.any(dim=1).all()
    assert dropout.eval()(x) is x


@pytest.mark.parametrize("activation", [torch.relu, torch.nn.functional.elu, None])
@pytest.mark.parametrize("share", [0.0, 0.6])
def test_layers_in_tiles_are_layers(monkeypatch, activation, share):
    monkeypatch.setattr(products, "TILE", 64)
    x, weight = torch.randn(50, 8, requires_grad=True), torch.randn(5, 8, requires_grad=True)
    dropout = products.Dropout(share, torch.Generator().manual_seed(0))
    room = products.Room()
    # Twice, since the memory of one step is that of the next.
    for _ in range(2):
        dropout.draws.manual_seed(0)
        found = products.Layer.apply(x, weight, products.Between(room, dropout, activation))
    dropout.draws.manual_seed(0)
    kept = torch.cat([dropout.kept(tile) for tile in x.split(8)]) * dropout.scale if share else torch.ones_like(x)
    expected = (kept * (activation(x) if activation else x)) @ weight.T
    torch.testing.assert_close(found, expected)
    wanted = torch.autograd.grad(expected.square().sum(), (x, weight))
    for ours, theirs in zip(torch.autograd.grad(found.square().sum(), (x, weight)), wanted, strict=True):
        torch.testing.assert_close(ours, theirs)
    rows = torch.tensor([3, 3, 49, 0])
    some = products.Layer.apply(x.detach(), weight, products.Between(room, None, activation, rows))
    torch.testing.assert_close(some, ((activation(x) if activation else x) @ weight.T)[rows])


def test_drawn_neighbours_are_no_more_than_asked_for(random_graph):
    lists = EdgeLists.of(random_graph.adjacency, np.arange(60), np.eye(60, dtype=np.float32), limit=2, device=CPU)
    drawn = lists.sampled(np.random.default_rng(0))
    inner, outer = drawn.hops
    degrees = np.diff(random_graph.adjacency.indptr)
    np.testing.assert_array_equal(outer.starts.diff(), 1 + np.minimum(degrees, 2))
    assert (outer.sources == outer.own[outer.targets]).sum() == 60
    # Every vector is that of a node, so that places say which.
    read = drawn.vectors[drawn.read].argmax(dim=1)
    given = read[inner.own]
    edges = torch.stack([read[inner.sources], given[inner.targets]])
    joined = random_graph.adjacency.toarray() + np.eye(60)
    for sources, targets in (edges, torch.stack([given[outer.sources], outer.targets])):
        assert (joined[sources, targets] > 0).all()
        assert len(set(zip(sources.tolist(), targets.tolist(), strict=True))) == len(sources)


def test_rewiring_keeps_degrees_of_each_kind(random_graph):
    kind = (np.arange(60) >= 40).astype(np.int64)

    def degrees(graph):
        return [np.asarray(graph.adjacency[:, kind == each].sum(axis=1)).ravel() for each in (0, 1)]

    found = rewired(random_graph, kind, seed=1)
    np.testing.assert_array_equal(degrees(found), degrees(random_graph))
    assert (found.edges[0] != found.edges[1]).all()
    assert found.adjacency.max() == 1
    shared = (found.adjacency * random_graph.adjacency).sum() / random_graph.adjacency.sum()
    assert shared < 0.5
    np.testing.assert_array_equal(rewired(random_graph, kind, seed=1).edges, found.edges)


@pytest.fixture
def clustered():
    """Two groups of 30 nodes; labels are groups, a node's own vector says little of it, and its neighbours say all."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 30)
    one, other = rng.integers(0, 60, (2, 900))
    pairs = np.unique(np.sort(np.stack([one, other])[:, (y[one] == y[other]) & (one != other)], axis=0), axis=1)
    X = rng.standard_normal((60, 4)) + 0.3 * y[:, None]
    return X, y, rng.permutation(60) % 5, Graph(60, pairs, np.ones(pairs.shape[1]), name="clusters")


FAST = "hidden=8,lr=0.05,epochs=60,patience=20"


@pytest.mark.parametrize("head", [f"gcn:{FAST}", f"gcn:{FAST},inductive=yes", f"gat:{FAST},neighbours=5", "vote"])
def test_heads_read_labels_off_neighbours_and_repeat_themselves(clustered, head):
    X, y, folds, graph = clustered
    one, two = (probe(X, y, target="binary", folds=folds, head=head, graph=graph) for _ in range(2))
    plain = probe(X, y, target="binary", folds=folds)
    assert one.scores["roc_auc"].mean > max(0.9, plain.scores["roc_auc"].mean)
    np.testing.assert_array_equal(one.values, two.values)
    assert one.params["edges_of_test_rows"] == ("left out in training" if "inductive" in head else "used")
    assert one.params["n_edges"] == graph.edges.shape[1]
    if head != "vote":
        other = probe(X, y, target="binary", folds=folds, head=head, graph=graph, seed=1)
        assert not np.array_equal(one.values, other.values)


@pytest.mark.parametrize("head", [f"gcn:{FAST}", f"gat:{FAST},neighbours=5"])
def test_networks_do_not_depend_on_the_number_of_cores(clustered, head):
    X, y, folds, graph = clustered
    before, found = torch.get_num_threads(), []
    try:
        for n in (1, 3):
            torch.set_num_threads(n)
            found.append(probe(X, y, target="binary", folds=folds, head=head, graph=graph).values)
            assert torch.get_num_threads() == n
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*found)


def test_memory_bounds_how_many_networks_train_at_once(clustered, monkeypatch):
    X, y, folds, graph = clustered
    workers = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, n):
            workers.append(n)
            super().__init__(n)

    monkeypatch.setattr(networks, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(networks, "one_core_per_thread", lambda: nullcontext(4))
    options = {"target": "binary", "splits": Splits.from_folds(folds), "head": load_head(f"gcn:{FAST}"), "graph": graph}
    # A network takes 4 bytes for each of 8 times 8 numbers of 60 nodes.
    for memory in (2.5 * 4 * 8 * 8 * 60, 1.0, None):
        held_out(X, y, params=Params(memory=memory), **options)
    assert workers == [2, 1, 4]


@pytest.mark.parametrize("target", ["multiclass", "multilabel", "regression"])
def test_every_target_is_one_network(clustered, target):
    X, y, folds, graph = clustered
    labels = {
        "multiclass": np.where(np.arange(60) % 10 == 0, 2, y),
        "multilabel": np.stack([y, np.arange(60) % 2, np.ones(60, dtype=int)], axis=1),
        "regression": 100 + 5.0 * y + np.arange(60) / 100,
    }[target]
    found = probe(X, labels, target=target, folds=folds, head=f"gcn:{FAST}", graph=graph)
    assert len(found.params["epochs"]) == 5
    if target == "multiclass":
        np.testing.assert_allclose(found.values.sum(axis=1), 1)
        assert found.scores["roc_auc_ovr_macro"].mean > 0.6
    elif target == "multilabel":
        assert found.labels["0"]["roc_auc"].mean > 0.9
    else:
        assert abs(found.values.mean() - labels.mean()) < 1
        assert found.scores["pearson"].mean > 0.8


def test_the_vote_is_the_mean_label_of_neighbours():
    y, folds = np.array([1, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 1])
    found = probe(X5, y, target="binary", folds=folds, head="vote", graph=FIVE)
    # Row 1 has the training neighbour 2; the prior, 2/3, counts as one more neighbour and is taken away.
    np.testing.assert_allclose(found.values[1], (1 + 2 / 3) / 2 - 2 / 3)
    # Row 4 has none.
    np.testing.assert_allclose(found.values[4], 0, atol=1e-12)


def test_rows_of_a_table_and_further_nodes():
    table = VectorTable(np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32))
    edges = np.stack([np.arange(40), np.full(40, 40)])
    graph = Graph(40, edges, np.ones(40), np.zeros((1, 3), dtype=np.float32))
    y = (table.vectors[:, 0] > 0).astype(int)
    rows = np.arange(0, 40, 2)
    found = probe(table.rows(rows), y[rows], target="binary", folds=np.arange(20) % 4, head=f"gcn:{FAST}", graph=graph)
    assert (found.n, found.params["n_nodes"], found.params["n_joined"]) == (20, 41, 20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "head gcn needs a graph"),
        ({"graph": Graph(4, np.array([[0], [1]]), np.ones(1))}, "over 4 rows, but there are"),
        ({"graph": Graph(60, np.empty((2, 0), dtype=int), np.empty(0), name="g")}, "graph g has an edge of none"),
        ({"graph": Graph(60, np.array([[0], [60]]), np.ones(1), np.zeros((1, 9)))}, "nodes have 9 numbers"),
    ],
)  # fmt: skip
def test_what_a_head_of_a_graph_refuses(clustered, options, message):
    X, y, folds, _ = clustered
    with pytest.raises(ProbeError, match=message):
        probe(X, y, target="binary", folds=folds, head="gcn", **options)


def test_without_torch_geometric_one_line_says_how_to_get_it(clustered, monkeypatch):
    X, y, folds, graph = clustered
    monkeypatch.delitem(sys.modules, "gene_eval.core.graph.layers")
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    with pytest.raises(ProbeError, match=r"which is not installed; pip install 'gene-bench\[graph\]'"):
        probe(X, y, target="binary", folds=folds, head="gcn", graph=graph)


def test_out_of_memory_says_what_was_needed(clustered, monkeypatch):
    X, y, folds, graph = clustered

    def fail(*_):
        message = "DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"
        raise RuntimeError(message)

    monkeypatch.setattr(EdgeLists, "sampled", fail)
    with pytest.raises(
        ProbeError, match=r"directed edges need about 0\.0 GiB, and memory on cpu ran out; give neighbours="
    ):
        probe(X, y, target="binary", folds=folds, head="gat", graph=graph)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("gcn", "gcn"),
        ("gcn:layers=3,graph=string", "gcn"),
        ("gcn:lr=0.01,inductive=yes", "gcn:lr=0.01,inductive=yes"),
        ("gat:neighbours=10,graph=string+go:iea=no", "gat:graph=string+go:iea=no,neighbours=10"),
    ],
)
def test_one_name_for_equal_heads(head, name):
    assert head_name(head) == name
    assert isinstance(load_head(head), GraphHead)
    assert load_head(name) == load_head(head)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("gcn:depth=3", "unknown option of head gcn 'depth'"),
        ("gat:layers=3", "unknown option of head gat 'layers'"),
        ("gcn:layers=1", "layers is '1', expected a whole number, 2 or above"),
        ("gcn:dropout=1", "dropout is '1', expected a number from 0 to below 1"),
        ("gcn:lr=fast", "lr is 'fast', expected a number above 0"),
        ("gcn:inductive=maybe", "inductive is 'maybe', expected yes or no"),
        ("gcn:graph=", "graph is '', expected a graph such as string"),
    ],
)
def test_options_that_do_not_exist(head, message):
    with pytest.raises((ProbeError, UnknownNameError), match=message):
        load_head(head)


def test_normalisation_is_symmetric_and_keeps_what_is_alone():
    rng = np.random.default_rng(0)
    dense = np.triu(rng.random((6, 6)) * (rng.random((6, 6)) < 0.4), 1)
    dense[:, 5] = 0
    dense += dense.T
    found = normalised(scipy.sparse.csr_array(dense)).toarray()
    loops = dense + np.eye(6)
    degree = loops.sum(axis=1)
    np.testing.assert_allclose(found, loops / np.sqrt(np.outer(degree, degree)))
    assert found[5, 5] == 1
