"""The ablation of the solver: every part can be switched off, and the engine is as it was afterwards."""

import numpy as np

from benchmarks.solver_ablation import measure, switches
from gene_eval.core import Splits
from gene_eval.core.engines import Params, get_engine


def test_each_part_is_switched_off_for_its_turns_only():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 100)).astype(np.float32) * np.geomspace(0.1, 3, 100, dtype=np.float32)
    y, splits = (
        X @ rng.normal(size=(100, 4)) + 8 * rng.normal(size=(1500, 4)) > 4,
        Splits.from_folds(np.arange(1500) % 5),
    )

    def solve():
        return get_engine("fast")(X, y, target="multilabel", splits=splits, params=Params())

    before = solve()
    found = measure(X, y, "multilabel", list(switches()))
    assert list(found) == list(switches())
    assert found["as it is"][0] == 1.0
    assert all(ratio > 0 and out.convergence["converged"] for ratio, _, out in found.values())
    passes = {part: out.convergence["passes"] for part, (_, _, out) in found.items()}
    assert passes["pairs of the common fit"] > passes["as it is"]
    assert passes["common fit on all rows"] > passes["as it is"]
    assert solve().values.tobytes() == before.values.tobytes()
