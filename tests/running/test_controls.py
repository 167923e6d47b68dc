"""`--controls`: what explains scores without the model, scored with it."""

import numpy as np
import pandas as pd
import pytest

from builders import RawFiles, load
from gene_eval.core.probe import probe


def test_controls_are_scored_with_the_models(go, families_dir, log):
    genes = load("humantfs_is_tf", RawFiles(families_dir)).dataset.to_pandas()
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(len(genes), 3)), index=genes["symbol"])
    outcome = go({"mine": frame}, ["humantfs_is_tf", "starter_is_tf"], controls=True, data_dir=families_dir)
    found = {(result.model.id, result.task.id): result for result in outcome}
    of_task = {model for model, task in found if task == "humantfs_is_tf"}
    assert of_task == {"mine", "shuffled:mine", "lookup:family", "nuisance:publications"}
    # Only what was asked for can fail; what a task or the files have no control for is told once each.
    assert {failure.model for failure in outcome.failures} == {"mine"}
    assert "no control: lookup:pair on humantfs_is_tf: lookup:pair is for pairs of genes" in log.text
    assert "no control: nuisance:all on humantfs_is_tf: nuisance:all reads column" in log.text
    (table,) = outcome.report.tables
    assert set(table.controls) == of_task - {"mine"}
    assert table.against_controls["humantfs_is_tf"].near.keys() == {"mine"}
    # The vectors are those of the model, each of another gene: its own dimension.
    shuffled = found["shuffled:mine", "humantfs_is_tf"]
    assert shuffled.model.dim == 3
    values = {tuple(row) for row in frame.to_numpy().round(6).tolist()}
    assert len(values) == len(frame)
    assert found["mine", "humantfs_is_tf"].scores["roc_auc"].mean == pytest.approx(
        probe(frame.to_numpy(), genes["label"], target="binary", folds=genes["fold"]).scores["roc_auc"].mean, abs=1e-5
    )
    again = go({"mine": frame}, "humantfs_is_tf", controls=True, data_dir=families_dir)
    assert (again.fitted, again.up_to_date) == (0, 4)
