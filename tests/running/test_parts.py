"""Runs on a task that comes in parts: trained on what was known, scored on what has been found since."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from builders import RawFiles, load
from gene_eval.results.reproduce import run_words
from gene_eval.running.verify import verify
from model_adapters import load_model

TASK, SMALL = "go_newly_annotated_process", "random:dim=8"
OBO = """format-version: 1.2

[Term]
id: GO:1
name: transport
namespace: biological_process
subset: goslim_generic

[Term]
id: GO:2
name: cell cycle
namespace: biological_process
subset: goslim_generic
"""


@pytest.fixture
def dated_dir(toy_dir):
    """Of the 50 toy genes, 30 are annotated in the older release and all in the later one."""
    (toy_dir / "go").mkdir()
    (toy_dir / "go/go.obo").write_text(OBO)
    older, later = [], ["#tax_id\tGeneID\tGO_ID\tEvidence\tCategory"]
    for i in range(1, 51):
        for term in ([1] if i % 3 else []) + ([2] if i % 5 < 3 else []):
            later.append(f"9606\t{i}\tGO:{term}\tIDA\tProcess")
            if i <= 30:
                cells = [
                    "U",
                    f"X{i}",
                    f"TOY{i}",
                    "",
                    f"GO:{term}",
                    "R",
                    "IDA",
                    "",
                    "P",
                    "",
                    "",
                    "protein",
                    "taxon:9606",
                    "20240101",
                    "GOA",
                ]
                older.append("\t".join(cells))
    (toy_dir / "go/goa_human.gaf").write_text("\n".join(older) + "\n")
    (toy_dir / "go/gene2go").write_text("\n".join(later) + "\n")
    return toy_dir


def test_trained_on_one_part_and_scored_on_the_other(go, dated_dir):
    (result,) = go(SMALL, TASK, data_dir=dated_dir)
    table = load(TASK, RawFiles(dated_dir)).dataset.to_pandas()
    X = load_model(SMALL).encode(table["symbol"].tolist())
    y = np.array([[label in cell for label in (0, 1)] for cell in table["label"]], dtype=int)
    is_train = (table["split"] == "train").to_numpy()
    wanted = []
    for fold in range(5):
        tested = ~is_train & (table["fold"] == fold).to_numpy()
        scores = []
        for label in (0, 1):
            fitted = LogisticRegression(max_iter=10_000, tol=1e-10).fit(X[is_train], y[is_train, label])
            if len(set(y[tested, label])) == 2:
                scores.append(roc_auc_score(y[tested, label], fitted.decision_function(X[tested])))
        wanted.append(np.mean(scores) if scores else np.nan)
    assert result.scores["roc_auc_macro"].folds == pytest.approx(wanted, abs=1e-3, nan_ok=True)
    assert np.isfinite(wanted).any()
    assert (result.settings.split, result.task.fold_scheme) == ("published", "published-test-in-fifths")
    assert (result.task.n, result.task.n_tested) == (len(table), int((~is_train).sum()))
    assert "--split" not in run_words(result)[1]


def test_its_labels_have_the_same_parts(go, dated_dir):
    (result,) = go(SMALL, f"{TASK}/transport", data_dir=dated_dir)
    assert (result.settings.split, result.task.n_tested) == ("published", 17)


def test_it_is_verified(go, dated_dir, tmp_path):
    (result,) = go(SMALL, TASK, data_dir=dated_dir)
    (path,) = (tmp_path / "out").rglob(f"{TASK}*.json")
    assert path.name == f"{TASK}.json"
    (verdict,) = verify([result], data_dir=dated_dir, log=lambda line: None)
    assert verdict.reproduced, str(verdict)


def test_a_task_without_parts(go, toy_dir):
    outcome = go(SMALL, "humantfs_is_tf", split="published", data_dir=toy_dir)
    assert [failure.reason for failure in outcome.failures] == ["no split published: it comes in one part"]
