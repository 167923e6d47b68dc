"""The ablation of the solver: every part can be switched off, and the engine is as it was afterwards."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks import solver_ablation
from benchmarks.solver_ablation import AS_IT_IS, CASES, LONGER, LOW_PRECISION, switches, table, turns
from gene_eval.core import Splits, solver
from gene_eval.core.engines import Params, get_engine


def test_each_part_is_switched_off_for_its_turns_only(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 100)).astype(np.float32) * np.geomspace(0.1, 3, 100, dtype=np.float32)
    y, splits = (
        X @ rng.normal(size=(100, 4)) + 8 * rng.normal(size=(1500, 4)) > 4,
        Splits.from_folds(np.arange(1500) % 5),
    )

    def solve():
        return get_engine("fast")(X, y, target="multilabel", splits=splits, params=Params())

    before = solve()
    monkeypatch.setattr(solver_ablation, "MANY", 1)
    found = dict(turns(X, y, "multilabel", list(switches())))
    assert list(found) == list(switches())
    # Labels, not classes; and narrow.
    unused = {LOW_PRECISION, LONGER}
    assert {part for part, (seconds, _, _) in found.items() if math.isnan(seconds)} == unused
    assert found[AS_IT_IS][1] == 1.0
    assert all(converged and (part in unused or seconds > 0) for part, (seconds, _, converged) in found.items())
    off = {}
    for part, switched_off in switches().items():
        with switched_off():
            off[part] = solve().convergence["passes"]
    assert off["pairs of the common fit"] > off[AS_IT_IS]
    assert off["common fit on all rows"] > off[AS_IT_IS]
    assert solve().values.tobytes() == before.values.tobytes()


def test_the_table_has_medians_dashes_and_gaps():
    nan = (math.nan, math.nan, True)
    found = {
        CASES[0]: {LONGER: [nan]},
        "a": {AS_IT_IS: [(1.0, 1.0, True), (3.0, 1.0, True), (4.0, 1.0, True)], LOW_PRECISION: [(3.0, 1.25, False)]},
    }
    lines = table(found).splitlines()
    assert lines[0] == f"| switched off | {' | '.join(CASES)} | a |"
    by_part = {line.split(" | ")[0].removeprefix("| "): line.removesuffix(" |").split(" | ")[1:] for line in lines[2:]}
    assert by_part[AS_IT_IS][-1] == "3.00"
    assert by_part[LOW_PRECISION][-1] == "1.25 (not converged)"
    assert (by_part[LONGER][0], by_part[LONGER][-1]) == ("–", "not measured")


def test_the_solvers_readme_has_a_row_for_each_part_and_a_column_for_each_case():
    readme = (Path(solver.__file__).parent / "README.md").read_text(encoding="utf-8")
    lines = [line for line in readme.splitlines() if line.startswith("|")]
    lines = lines[next(i for i, line in enumerate(lines) if line.startswith("| switched off |")) :]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert rows[0][1:] == list(CASES)
    assert [row[0] for row in rows[2:]] == list(switches())
    assert {len(row) for row in rows} == {len(CASES) + 1}


def test_it_runs_from_any_folder(repo, tmp_path):
    command = [sys.executable, str(repo / "benchmarks/solver_ablation.py"), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "--data-dir" in done.stdout
