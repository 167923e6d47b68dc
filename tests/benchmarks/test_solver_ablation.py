"""The ablation of the solver: every part can be switched off, and the engine is as it was afterwards."""

from pathlib import Path

import numpy as np

from benchmarks.solver_ablation import AS_IT_IS, CASES, measure, switches
from gene_eval.core import Splits, solver
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
    assert found[AS_IT_IS][0] == 1.0
    assert all(ratio > 0 and converged for ratio, _, converged in found.values())
    off = {}
    for part, switched_off in switches().items():
        with switched_off():
            off[part] = solve().convergence["passes"]
    assert off["pairs of the common fit"] > off[AS_IT_IS]
    assert off["common fit on all rows"] > off[AS_IT_IS]
    assert off["10 curvature pairs instead of 40"] > off[AS_IT_IS]
    assert solve().values.tobytes() == before.values.tobytes()


def test_the_solvers_readme_has_a_row_for_each_part_and_a_column_for_each_case():
    readme = (Path(solver.__file__).parent / "README.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in readme.split("| switched off |")[1].splitlines()
    ]
    assert rows[0] == list(CASES)
    assert [row[0] for row in rows[2:] if row] == list(switches())
    assert all(len(row) == len(CASES) + 1 for row in rows[2:] if row)
