"""Rows do not change without a new version of the rules that make them: users' caches and results go by these."""

import hashlib
import json
import tempfile
from pathlib import Path

import pytest

from builders import RawFiles, builder_of, configs
from tests.builders.rule_fixtures import write_raw_files

RECORD = Path(__file__).parents[1] / "data" / "rows_by_rules.json"
ADVICE = (
    "raise RULES_VERSION of the builder, or FRAME_VERSION in builders/base.py or the name of FOLD_SCHEME if that is"
    " what changed (and the version of the configs, if published tasks change), then record the rows:"
    f" PYTHONPATH=. python tests/builders/{Path(__file__).name}"
)


def rows_now(folder: Path, names: list[str]) -> dict[str, dict[str, object]]:
    raw = RawFiles(folder)
    found = {}
    for name in names:
        builder = builder_of(name)(name, raw=raw)
        content, audit = builder._build_content()
        lines = [json.dumps(row, sort_keys=True) for row in content.table.to_pylist()]
        text = "\n".join([repr(content.info.features), json.dumps(audit.counts(), sort_keys=True), *lines])
        found[name] = {
            "rules": f"{builder.rules()}, version {builder.config.version}"
            + (f", {audit.inputs}" if builder.PACKAGED else ""),
            "n": len(lines),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
    return found


@pytest.fixture(scope="module")
def now(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    write_raw_files(folder)
    return rows_now(folder, [name for name in configs() if builder_of(name).__module__.startswith("builders.")])


def test_rows_are_those_of_the_recorded_rules(now):
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    assert recorded.keys() == now.keys(), ADVICE
    silent = [name for name in now if now[name] != recorded[name] and now[name]["rules"] == recorded[name]["rules"]]
    assert not silent, f"rows of {', '.join(silent)} changed under the same versions: {ADVICE}"
    stale = [name for name in now if now[name] != recorded[name]]
    assert not stale, f"versions of {', '.join(stale)} changed: record their rows: {ADVICE.rpartition(': ')[2]}"


def test_fixtures_have_something_for_every_task(now):
    assert min(each["n"] for name, each in now.items() if name not in ("diseases", "go_terms")) >= 20


@pytest.mark.parametrize(
    ("name", "what", "value"),
    [
        ("reactome_pathways", "builders.labels.MIN_PREVALENCE", 0.6),
        ("reactome_pathways", "builders.sources.reactome.ReactomeBuilder.RESOLVE_BY", ("current",)),
        ("hpa_chromosome", "builders.folds.assignment.FOLD_SEED", 1),
    ],
)
def test_a_rule_that_changes_under_its_version_is_noticed(tmp_path, now, monkeypatch, name, what, value):
    write_raw_files(tmp_path)
    monkeypatch.setattr(what, value)
    changed = rows_now(tmp_path, [name])[name]
    assert changed["rules"] == now[name]["rules"]
    assert changed["sha256"] != now[name]["sha256"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        write_raw_files(Path(folder))
        record = rows_now(Path(folder), list(configs()))
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"recorded the rows of {len(record)} tasks and tables in {RECORD}")
