"""`--gain` and `--control permuted`: blocks of a result, and what reports show of them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from builders import RawFiles, load
from gene_eval.core.controls.gain import gain
from gene_eval.core.splits import Splits
from gene_eval.core.statistics.paired_tests import corrected_t_test
from gene_eval.errors import GeneBenchError
from gene_eval.reporting.page.data import page_data
from gene_eval.reporting.text import to_csv, to_markdown
from gene_eval.results import store
from gene_eval.results.reproduce import run_words
from model_adapters import load_model

SMALL = "random:dim=8"


def test_gain_over_publications(go, families_dir, tmp_path, log):
    outcome = go(SMALL, "humantfs_is_tf", gain="nuisance:publications", data_dir=families_dir)
    (result,) = outcome
    table = load("humantfs_is_tf", RawFiles(families_dir)).dataset.to_pandas()
    X = load_model(SMALL).encode(list(table["symbol"]))
    count = np.array([i * i if (i := int(symbol[3:])) < 41 else 0 for symbol in table["symbol"]], dtype=float)
    Z = np.log1p(count)[:, None]
    # Standardised over the genes of the covariate table, not of the task.
    genes = load("gene_covariates", RawFiles(families_dir)).dataset.to_pandas()["publications"]
    known = np.log1p(genes.dropna().to_numpy(dtype=float))
    Z = (Z - known.mean()) / known.std()
    direct = gain(X, Z, table["label"], target="binary", splits=Splits.from_folds(table["fold"]))
    assert result.gain.scores["gain"].folds == pytest.approx(direct.gain.folds, abs=1e-3, nan_ok=True)
    assert (result.gain.covariates, result.gain.n) == ("nuisance:publications", 50)
    saved = store.load(next((tmp_path / "out").rglob("*.json")))
    assert saved.gain == result.gain
    assert run_words(saved)[1].endswith("--gain nuisance:publications")
    frame = outcome.explained()
    test = corrected_t_test(
        result.gain.scores["both"].folds,
        result.gain.scores["covariates"].folds,
        test_train_ratio=result.test_train_ratio,
    )
    assert frame.loc[0, ["gain", "gain_low", "gain_high"]].tolist() == [test.difference, test.low, test.high]
    assert f"| {test.difference:z.3f} | {test.low:z.3f} to {test.high:z.3f} |" in to_markdown(outcome.report)
    assert f",{test.low}," in to_csv(outcome.report)
    (shown,) = page_data(outcome.report)["tables"][0]["results"]
    assert shown["g"][4:] == [round(each * 1e5) for each in (test.difference, test.low, test.high)]
    assert go(SMALL, "humantfs_is_tf", gain="nuisance:publications", data_dir=families_dir).up_to_date == 1
    assert go(SMALL, "humantfs_is_tf", data_dir=families_dir).up_to_date == 1
    # What cannot be had is a line, and no failure; what was there stays.
    other = go(SMALL, "humantfs_is_tf", gain="nuisance:length", data_dir=families_dir)
    assert (len(other.results), other.failures, other.results[0].gain) == (1, [], result.gain)
    assert "no gain: random:dim=8 on humantfs_is_tf: nuisance:length reads column 'gene_length'" in log.text


def test_permuted_labels(go, tmp_path):
    outcome = go(SMALL, "starter_is_tf", control="permuted", permutations=4, repeats=2)
    (result,) = outcome
    found, score = result.permuted, result.scores["roc_auc"].mean
    assert len(found.scores) == 4
    assert found.p_value == (1 + sum(each >= score for each in found.scores)) / 5
    assert found.selectivity == pytest.approx(score - np.mean(found.scores))
    assert all(0.3 < each < 0.7 for each in found.scores)
    saved = store.load(next((tmp_path / "out").rglob("*.json")))
    assert saved.permuted == found
    assert "--control permuted --permutations 4" in run_words(saved)[1]
    drawn = f"{np.mean(found.scores):.3f} ± {np.std(found.scores):.3f}"
    (shown,) = page_data(outcome.report)["tables"][0]["results"]
    assert (shown["q"][0], shown["q"][3:]) == (4, [round(found.selectivity * 1e5), found.p_value])
    assert f"| {drawn} | {found.selectivity:z.3f} | 4 | {found.p_value:.3f} |" in to_markdown(outcome.report)
    assert go(SMALL, "starter_is_tf", control="permuted", permutations=4, repeats=2).up_to_date == 1
    assert go(SMALL, "starter_is_tf", control="permuted", permutations=5, repeats=2).fitted == 1
    # What was asked for earlier stays, for the same inputs.
    (again,) = go(SMALL, "starter_is_tf", curve=True, repeats=2)
    assert (len(again.permuted.scores), bool(again.curve)) == (5, True)
    (other,) = go(SMALL, "starter_is_tf", curve=True)
    assert other.permuted is None


def test_a_model_that_knows_has_a_small_p(go):
    (result,) = go("bag-of-words", "starter_is_tf", control="permuted")
    assert result.permuted.p_value == 1 / 21
    assert result.permuted.selectivity > 0.2


def test_other_heads_and_lookups_are_permuted_too(go, families_dir):
    found = go(
        ["lookup:family", SMALL],
        "humantfs_is_tf",
        head="knn",
        control="permuted",
        permutations=2,
        data_dir=families_dir,
    )
    assert [len(result.permuted.scores) for result in found] == [2]
    (lookup,) = go("lookup:family", "humantfs_is_tf", control="permuted", permutations=3, data_dir=families_dir)
    assert len(lookup.permuted.scores) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gain": "bag-of-words"}, "gain is 'bag-of-words', expected .*'nuisance:all'"),
        ({"gain": True, "head": "knn"}, "a gain is of the head linear under protocol paper"),
        ({"control": "permutd"}, "unknown control 'permutd': did you mean 'permuted'"),
        ({"control": "permuted", "shots": 2}, "labels are permuted among all training entities, not among shots"),
        ({"permutations": 0}, "permutations is 0, expected a whole number, 1 or above"),
    ],
)
def test_what_cannot_be_is_one_line(go, options, message):
    with pytest.raises(GeneBenchError, match=message):
        go(SMALL, "starter_is_tf", **options)


def test_gain_against_scikit_learn_for_pairs(go, families_dir):
    """Where vectors know nothing and covariates do, covariates alone have the score of a regression on them."""
    (result,) = go(SMALL, "gene2vec_gene_pairs", gain="nuisance:publications", data_dir=families_dir)
    assert result.gain.n == result.coverage.n_scored
    table = load("gene2vec_gene_pairs", RawFiles(families_dir)).dataset.to_pandas()
    genes = load("gene_covariates", RawFiles(families_dir)).dataset.to_pandas().set_index("symbol")["publications"]
    known = np.log1p(genes.dropna().astype(float))
    values = ((np.log1p(genes.astype(float)) - known.mean()) / known.std(ddof=0)).fillna(0)
    Z = (values.reindex(table["symbol_a"]).to_numpy() + values.reindex(table["symbol_b"]).to_numpy())[:, None] / 2
    expected = []
    for fold in range(5):
        train, test = table["fold"] != fold, table["fold"] == fold
        fit = LogisticRegression(tol=1e-10).fit(Z[train], table["label"][train])
        expected.append(roc_auc_score(table["label"][test], fit.decision_function(Z[test])))
    assert result.gain.scores["covariates"].folds == pytest.approx(expected, abs=1e-6)
