"""Graph convolutional and graph attention networks of torch-geometric, trained on the labels of some rows."""

import importlib
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.preprocessing import StandardScaler

from gene_eval.core.errors import ProbeError
from gene_eval.core.graph.nodes import Graph, normalised
from gene_eval.core.solver.resources import SHARE, free_memory, one_core_per_thread
from gene_eval.core.splits import Splits

if TYPE_CHECKING:
    from gene_eval.core.heads.graph import GraphHead

__all__ = ["Trained", "Trainer"]

PLATEAU = {"factor": 0.2, "patience": 50}
"""Of the learning rate, as in Genen's notebooks."""
EVERY = {"gcn": 1, "gat": 5}
"""Epochs from one look at the rows that were held back to the next; attention shares nothing with training."""
_FIRST_WEIGHTS = threading.Lock()
"""torch-geometric draws them from the generator that all threads share."""
_INSTALL = "heads gcn and gat need torch-geometric, which is not installed; pip install 'gene-bench[graph]'"


@dataclass(frozen=True)
class Trained:
    """Predictions for the test rows in the form of `engines.HeldOut.values`, for `classes`, and epochs it took."""

    values: npt.NDArray[np.float64]
    classes: npt.NDArray[np.int64]
    epochs: int


class Trainer:
    """Trains networks on one graph, its nodes' vectors and the rows of one task.

    Args:
        head: Kind and options.
        graph: The graph.
        rows: (n,) nodes that have labels.
        vectors: (N + M, d) of all nodes.
        device: "cpu" or "cuda"; None takes the best there is.
        scaled: Whether vectors are standardised by the training rows.
        memory: Bytes for networks in training, at least one; None takes half of what is free.

    Raises:
        ProbeError: torch-geometric is not installed.
    """

    def __init__(
        self,
        head: "GraphHead",
        graph: Graph,
        rows: npt.NDArray[np.int64],
        vectors: npt.NDArray[np.float32],
        *,
        device: str | None = None,
        scaled: bool = False,
        memory: float | None = None,
    ) -> None:
        try:
            # Late: it takes seconds to import, and need not be installed.
            self.layers: Any = importlib.import_module("gene_eval.core.graph.layers")
        except ImportError as error:
            raise ProbeError(_INSTALL) from error
        self.head, self.graph, self.rows = head, graph, rows
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.vectors, self.scaled, self.memory = vectors, scaled, memory
        self._given_up = threading.Event()

    def fit(self, y: npt.NDArray[Any], splits: Splits, which: list[int], *, target: str, seed: int) -> list[Trained]:
        """Train a network for each of some splits, on the processor as many at once as it has cores.

        A network has one core to itself, which its layers use better than several would use theirs, so that results do
        not depend on how many there are.

        Args:
            y: (n,) or (n, L) labels.
            splits: Of the n rows; labels of training rows are seen, a part of them only to say when to stop.
            which: Numbers of the splits.
            target: As of the probe.
            seed: Of weights, dropout, and which training rows are held back.

        Raises:
            ProbeError: Memory is too small.
        """
        try:
            whole = None if self.scaled else self._made(self.graph, self.vectors)
            if self.device.type != "cpu":
                return [self._split(y, splits, each, whole, target=target, seed=seed) for each in which]
            with one_core_per_thread() as n_cores:
                memory = SHARE * free_memory(self.device) if self.memory is None else self.memory
                fitting = int(memory / self._bytes())
                with ThreadPoolExecutor(max(1, min(n_cores, fitting))) as pool:
                    jobs = [
                        pool.submit(self._split, y, splits, each, whole, target=target, seed=seed) for each in which
                    ]
                    try:
                        return [job.result() for job in jobs]
                    except BaseException:
                        # One failed, or ctrl-C: the others end with the epoch that they are in.
                        self._given_up.set()
                        pool.shutdown(wait=False, cancel_futures=True)
                        raise
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "memory" not in str(error):
                raise
            raise ProbeError(self._too_large()) from error

    def _split(self, y: npt.NDArray[Any], splits: Splits, split: int, whole: Any, *, target: str, seed: int) -> Trained:
        train, test = splits.train_rows(split), splits.test_rows(split)
        labels = _Labels(y, train, target)
        stopped, fitted = _held_back(y, train, target=target, share=self.head.held, seed=seed)
        vectors = self.vectors
        if self.scaled:
            vectors = StandardScaler().fit(vectors[self.rows[train]]).transform(vectors).astype(np.float32)
            whole = self._made(self.graph, vectors)
        learnt = self._made(self.graph.without(self.rows[test]), vectors) if self.head.inductive else whole
        truth = labels.targets.to(self.device)
        fit_at, stop_at, test_at = (
            torch.from_numpy(np.flatnonzero(mask)).to(self.device) for mask in (fitted, stopped, test)
        )
        network = self._network(vectors.shape[1], labels.n_outputs, seed=seed)
        optimiser = torch.optim.Adam(network.parameters(), lr=self.head.lr, weight_decay=self.head.decay)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, **PLATEAU)  # type: ignore[arg-type]
        least, best, best_epoch, epoch = math.inf, network.state_dict(), 0, 0
        draws = np.random.default_rng(seed)
        while epoch < self.head.epochs and epoch - best_epoch < self.head.patience and not self._given_up.is_set():
            epoch += 1
            drawn = learnt.sampled(draws)
            begun = network.start(drawn)
            if epoch % EVERY[self.head.kind] == 1 % EVERY[self.head.kind]:
                network.eval()
                with torch.no_grad():
                    outputs = network(drawn, begun)
                    held = labels.loss(outputs[stop_at], truth[stop_at]).item()
                    if held < least:
                        least, best_epoch = held, epoch
                        best = {name: each.clone() for name, each in network.state_dict().items()}
            network.train()
            optimiser.zero_grad()
            loss = labels.loss(network(drawn, begun)[fit_at], truth[fit_at])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            plateau.step(loss.item())
        if not math.isfinite(least):
            msg = f"head {self.head}: the loss became infinite; take a smaller lr"
            raise ProbeError(msg)
        network.load_state_dict(best)
        network.eval()
        with torch.no_grad():
            outputs = network(whole, network.start(whole))[test_at].cpu().double().numpy()
        return Trained(labels.values(outputs), labels.classes, epoch)

    def _network(self, dim: int, n_outputs: int, *, seed: int) -> Any:
        head, layers = self.head, self.layers
        draws = torch.Generator(self.device).manual_seed(seed)
        with _FIRST_WEIGHTS, torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(seed)
            if head.kind == "gat":
                options = {"heads": head.heads, "dropout": head.dropout, "draws": draws}
                return layers.Attention(dim, head.hidden, n_outputs, **options).to(self.device)
            options = {"layers": head.layers, "dropout": head.dropout, "draws": draws}
            return layers.Convolutions(dim, head.hidden, n_outputs, **options).to(self.device)

    def _made(self, graph: Graph, vectors: npt.NDArray[np.float32]) -> Any:
        adjacency = graph.adjacency if self.head.weighted else graph.adjacency.sign()
        if self.head.kind == "gat":
            return self.layers.EdgeLists.of(
                adjacency, self.rows, vectors, limit=self.head.neighbours, device=self.device
            )
        return self.layers.Blocks.of(
            normalised(adjacency), self.rows, vectors, layers=self.head.layers, device=self.device
        )

    def _sizes(self) -> tuple[int, int]:
        """Directed edges, self-loops among them, and numbers of a node between two layers."""
        is_gat = self.head.kind == "gat"
        return 2 * self.graph.edges.shape[1] + self.graph.n, self.head.hidden * (self.head.heads if is_gat else 1)

    def _bytes(self) -> int:
        """Of one network in training: values, gradients and what dropout kept.

        Attention also has a few numbers for each edge and attention head, and where the nodes' vectors or edges differ
        from split to split, a network has its own.
        """
        (n_edges, width), n, dim = self._sizes(), self.graph.n, self.vectors.shape[1]
        is_gat = self.head.kind == "gat"
        own = n * dim if self.scaled or self.head.inductive else 0
        return 4 * (8 * n * width + own + (8 * n_edges * self.head.heads if is_gat else 0))

    def _too_large(self) -> str:
        n, (n_edges, width) = self.graph.n, self._sizes()
        is_gat = self.head.kind == "gat"
        way = "give neighbours=5 to draw at most five for each node" if is_gat else "take fewer layers"
        return (
            f"head {self.head}: {n:,} nodes with {width} numbers each and {n_edges:,} directed edges need about"
            f" {self._bytes() / 2**30:.1f} GiB, and memory on {self.device} ran out; {way}"
        )


def _held_back(
    y: npt.NDArray[Any], train: npt.NDArray[np.bool_], *, target: str, share: float, seed: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(n,) training rows held back, the same share of each class and at least one row, and (n,) the others."""
    rng = np.random.default_rng(seed)
    chosen = np.flatnonzero(train)
    classes = (
        y[chosen].astype(np.int64) if target in ("binary", "multiclass") else np.zeros(len(chosen), dtype=np.int64)
    )
    held = np.zeros(len(y), dtype=bool)
    for each in np.unique(classes):
        members = rng.permutation(chosen[classes == each])
        # A class of one row is for training.
        held[members[: min(max(1, round(share * len(members))), len(members) - 1)]] = True
    return held, train & ~held


class _Labels:
    """What the network is trained towards, and the way back to predictions."""

    def __init__(self, y: npt.NDArray[Any], train: npt.NDArray[np.bool_], target: str) -> None:
        self.target = target
        self.classes = np.unique(y[train]) if target == "multiclass" else np.empty(0, dtype=np.int64)
        self.middle, self.spread = 0.0, 1.0
        if target == "regression":
            self.middle, self.spread = float(y[train].mean()), float(y[train].std())
            targets = ((y - self.middle) / self.spread).astype(np.float32)[:, None]
        elif target == "multiclass":
            targets = np.searchsorted(self.classes, y).clip(max=len(self.classes) - 1)
        else:
            targets = y.reshape(len(y), -1).astype(np.float32)
        self.targets = torch.from_numpy(targets)
        self.n_outputs = len(self.classes) if target == "multiclass" else targets.shape[1]

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self.target == "regression":
            return torch.nn.functional.mse_loss(outputs, targets)
        if self.target == "multiclass":
            return torch.nn.functional.cross_entropy(outputs, targets)
        return torch.nn.functional.binary_cross_entropy_with_logits(outputs, targets)

    def values(self, outputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if self.target == "multiclass":
            return torch.softmax(torch.from_numpy(outputs), dim=1).numpy()
        outputs = outputs * self.spread + self.middle
        return outputs if self.target == "multilabel" else outputs[:, 0]
