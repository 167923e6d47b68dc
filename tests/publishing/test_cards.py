"""What a card says about a model: the numbers, the metadata that the Hub reads, and what is refused."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries

from gene_eval.cli.parser import main
from gene_eval.errors import CardError, GeneBenchError
from gene_eval.publishing.cards import Benchmark, benchmark, make_card, write_card
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Score, Settings, TaskRecord, TaskResult
from gene_eval.results.store import save

TASKS = {
    "humantfs_is_tf": ("binary", "regulatory", "roc_auc"),
    "hpa_interactions": ("regression", "regulatory", "r2"),
    "reactome_pathways": ("multilabel", "biological_process", "roc_auc_macro"),
    "reactome_pathways/dna_repair": ("binary", "biological_process", "roc_auc"),
    "starter_is_tf": ("binary", "regulatory", "roc_auc"),
}


def result(model, task, mean, *, n_scored=100, **changes):
    target, family, metric = TASKS[task]
    made = TaskResult(
        TaskRecord(
            id=task, version="1.0.0", target=target, entity="gene", family=family, source=task.split("_")[0], n=100,
            data_sha256="d" * 64, fold_scheme="kfold", folds_sha256="f" * 64, ranked=not task.startswith("starter"),
        ),
        ModelRecord(model, "a" * 40, "random" if model == "random" else "sentence-transformer", 4, "e" * 64),
        ProbeRecord(Settings("paper", "fast", 0)),
        Coverage(100, n_scored, 100 - n_scored),
        dict.fromkeys(
            (metric, "spearman") if target == "regression" else (metric,),
            Score(mean, 0.0125 + 0 * mean, (mean - 0.0125, mean + 0.0125)),
        ),
        environment={"gene-bench": "0.1.0"},
        created_at="2026-01-02T03:04:05+00:00",
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def found():
    return [
        result("org/good", "humantfs_is_tf", 0.8, n_scored=90),
        result("org/good", "hpa_interactions", 0.4),
        result("org/good", "reactome_pathways", 0.9),
        result("org/good", "reactome_pathways/dna_repair", 0.7),
        result("org/good", "starter_is_tf", 0.95),
        result("random", "humantfs_is_tf", 0.5),
        result("random", "hpa_interactions", -0.1),
        result("random", "reactome_pathways", 0.5),
        result("random", "reactome_pathways/dna_repair", 0.5),
    ]


def row(section, name):
    (line,) = [line for line in section.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_suites_have_means_of_their_own(found):
    suites = {"@two": ("reactome_pathways", "never_run"), "@all": ("humantfs_is_tf", "reactome_pathways", "never_run")}
    section = make_card(found, "org/good", suites=suites).section
    assert row(section, "@two") == ["@two", "roc_auc", "1 of 2", "0.900", "0.500"]
    assert "| @all |" not in section
    assert "Overall is @all: 2 of its 3 tasks are here." in section.splitlines()


def test_the_section_shows_means_tasks_and_the_control(found):
    section = make_card(found, "org/good").section
    assert row(section, "regulatory") == ["regulatory", "roc_auc", "1", "0.800", "0.500"]
    assert row(section, "overall") == ["overall", "roc_auc", "2", "0.850 ± 0.050", "0.500 ± 0.000"]
    assert row(section, "regression") == ["regression", "spearman", "1", "0.400", "-0.100"]
    assert row(section, "humantfs_is_tf") == [
        *("humantfs_is_tf", "regulatory", "roc_auc", "0.800 ± 0.013 (0.600)", "0.500 ± 0.013", "90 of 100")
    ]
    assert row(section, "starter_is_tf \\*")[3:] == ["0.950 ± 0.013", "–", "100 of 100"]
    assert f"adapter `sentence-transformer`, revision `{'a' * 40}`, 4 dimensions, sha256 `{'e' * 64}`" in section
    command = section.split("```bash")[1].split("```")[0].replace(" \\\n   ", "")
    assert command == (
        f"\npip install gene-bench==0.1.0\ngene-bench run sentence-transformer:org/good@{'a' * 40} -t hpa_interactions"
        " -t humantfs_is_tf -t reactome_pathways -t reactome_pathways/dna_repair -t starter_is_tf --protocol paper"
        " --engine fast --seed 0\n"
    )
    common = Settings("paper", "fast", 0, entities="common-0a0b0c0d")
    apart = [replace(each, probe=replace(each.probe, settings=common)) for each in found]
    # Those on all entities come first; the others have to be asked for.
    assert make_card([*found, *apart], "org/good").section == section
    of_common = make_card([*found, *apart], "org/good", where={"entities": "common-0a0b0c0d"}).section
    assert "gene-bench run sentence-transformer:org/good@" + "a" * 40 + " OTHER_MODELS" in of_common
    assert "--seed 0 --common-genes" in of_common.replace(" \\\n   ", "")
    assert "![" not in section
    assert (
        "![Results of org/good](plots/families.png)" in make_card(found, "org/good", plot="plots/families.png").section
    )


def test_metadata_holds_whole_ranked_tasks_and_their_exact_values(found, tmp_path):
    dataset = Benchmark("genes/bench", "b" * 40)
    write_card(make_card(found, "org/good", dataset=dataset), tmp_path / "README.md")
    expected = {"humantfs_is_tf": 0.8, "hpa_interactions": 0.4, "reactome_pathways": 0.9}
    scores = ModelCard.load(tmp_path / "README.md").data.eval_results
    assert {score.dataset_config: score.metric_value for score in scores} == expected
    assert {(score.dataset_type, score.dataset_revision) for score in scores} == {("genes/bench", "b" * 40)}
    assert {score.dataset_config: score.metric_type for score in scores} == {task: TASKS[task][2] for task in expected}
    text = (tmp_path / ".eval_results" / "gene-bench.yaml").read_text()
    entries = parse_eval_result_entries(yaml.safe_load(text))
    # The rows of humantfs are not ours to publish, so the dataset has no such task.
    assert {entry.task_id: entry.value for entry in entries} == {"hpa_interactions": 0.4, "reactome_pathways": 0.9}
    assert {(entry.dataset_id, entry.dataset_revision, entry.date) for entry in entries} == {
        ("genes/bench", "b" * 40, "2026-01-02T03:04:05+00:00")
    }
    notes = next(entry.notes for entry in entries if entry.task_id == "hpa_interactions")
    assert notes == (
        "metric r2, protocol paper, engine fast, seed 0, scored 100 of 100, task version 1.0.0, "
        "data sha256 dddddddddddd, vectors sha256 eeeeeeeeeeee, gene-bench 0.1.0"
    )


def test_a_task_with_a_file_of_a_closed_source_is_in_no_eval_results(found):
    mixed = [
        replace(each, task=replace(each.task, inputs={"hpa/a.tsv": "a" * 64, "humantfs/b.csv": "b" * 64}))
        for each in found
        if each.task.id == "hpa_interactions"
    ]
    assert make_card(mixed, "org/good").eval_results == ""


def test_a_trial_run_is_published_as_what_it_is():
    card = make_card([result("org/good", "starter_is_tf", 0.95)], "org/good")
    (entry,) = yaml.safe_load(card.eval_results)
    assert entry["dataset"] == {"id": "gene-bench/gene-bench", "task_id": "starter_is_tf"}
    assert entry["notes"].endswith("; an example task, part of no ranking")
    assert "None: no task here counts in a ranking." in card.section


def test_a_score_that_is_undefined_is_not_published(found):
    card = make_card([*found[1:], result("org/good", "humantfs_is_tf", math.nan)], "org/good")
    assert [entry["dataset"]["task_id"] for entry in yaml.safe_load(card.eval_results)] == [
        "hpa_interactions",
        "reactome_pathways",
    ]
    assert row(card.section, "humantfs_is_tf")[3] == "–"


def test_a_control_on_other_rows_or_with_other_settings_is_not_set_beside(found):
    other = replace(found[5], task=replace(found[5].task, data_sha256="0" * 64))
    seeded = replace(found[6], probe=ProbeRecord(Settings("paper", "fast", 1)))
    section = make_card([*found[:5], other, seeded], "org/good").section
    assert "(control)" not in section
    assert "No control was run beside it." in make_card([*found[:4], other], "org/good").section


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"probe": ProbeRecord(Settings("paper", "fast", 1))},
            r"has results of 2 settings \(there are: protocol paper, engine fast, seed 0; .* say which with --where",
        ),
        (
            {"model": ModelRecord("org/good", None, "x", 4, "e" * 64)},
            r"are of 2 revisions \(None; aaaa.* run it again with --overwrite",
        ),
    ],
)
def test_results_of_several_kinds_make_no_card(found, change, reason):
    with pytest.raises(GeneBenchError, match=reason):
        make_card([replace(found[0], **change), *found[1:]], "org/good")


def test_benchmark_with_and_without_revision():
    assert benchmark("a/b") == Benchmark("a/b", None)
    assert benchmark("a/b@refs/pr/1") == Benchmark("a/b", "refs/pr/1")
    with pytest.raises(CardError, match="--dataset 'bench': expected owner/name"):
        benchmark("bench")


def files(folder: Path):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_command_extends_a_card(found, tmp_path, capsys):
    for each in found:
        save(each, tmp_path / "results")
    card = tmp_path / "model" / "README.md"
    card.parent.mkdir()
    card.write_text("---\nlicense: mit\n---\n# Good\n")
    assert main(["card", str(tmp_path / "results"), "org/good", "-o", str(card)]) == 0
    assert set(files(card.parent)) == {"README.md", ".eval_results/gene-bench.yaml"}
    assert card.read_text().startswith("---\nlicense: mit\nmodel-index:\n- name: org/good\n")
    first = files(card.parent)
    assert main(["card", str(tmp_path / "results"), "org/good", "-o", str(card)]) == 0
    assert files(card.parent) == first
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"---\nlicense: [mit\n---\n# Good\n", "its metadata is not valid YAML in line 3"),
        (b"# \xff\n", "it is not UTF-8 text"),
    ],
)
def test_a_broken_card_is_left_as_it_was(found, tmp_path, capsys, text, reason):
    save(found[0], tmp_path / "results")
    card = tmp_path / "model" / "README.md"
    card.parent.mkdir()
    card.write_bytes(text)
    assert main(["card", str(tmp_path / "results"), "org/good", "-o", str(card)]) == 2
    assert f"gene-bench: {card} is left as it was: {reason}" in capsys.readouterr().err
    assert files(card.parent) == {"README.md": text}


def test_mistakes_are_one_line(found, tmp_path, capsys):
    save(found[0], tmp_path / "results")
    for arguments, line in (
        (
            [tmp_path / "results", "org/god"],
            "gene-bench: no results of 'org/god'; did you mean 'org/good'?",
        ),
        ([tmp_path / "none", "org/good"], f"gene-bench: no results folder {tmp_path / 'none'}; make one with: "),
    ):
        assert main(["card", *map(str, arguments), "-o", str(tmp_path / "README.md")]) == 2
        err = capsys.readouterr().err
        assert err.startswith(line)
        assert err.count("\n") == 1
    assert not (tmp_path / "README.md").exists()


def test_names_of_others_stay_text_in_a_card() -> None:
    evil = "a`b|<script>\n```\n# c"
    found = result(evil, "humantfs_is_tf", 0.8)
    found = replace(
        found,
        task=replace(found.task, family="<b>|x"),
        environment={"gene-bench": "1; rm -rf $HOME `x`\n```\n<i>"},
    )
    card = make_card([found], evil).merged(None)
    body = card.split("\n---\n", 1)[1]
    assert body.startswith("# a\\`b\\|\\<script\\> \\`\\`\\` # c\n")
    assert "off the vectors of `a'b|<script> ''' # c`," in body
    assert [line for line in body.splitlines() if line.startswith("```")] == ["```bash", "```"]
    assert "<b>" not in body.replace("\\<b\\>", "")
    assert "pip install 'gene-bench==1; rm -rf $HOME `x` ``` <i>'" in body
