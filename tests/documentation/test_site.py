"""What the site shows of the code is all of it; the site itself is built by `make site`, which stops at a warning."""

import json
import re
import runpy
from pathlib import Path

import yaml

import gene_eval
from gene_eval.cli.parser import MODULES
from gene_eval.core.metrics import MAIN_METRIC, METRICS
from gene_eval.documentation.site import MADE, commands_markdown, diagram_svg, schema_markdown

ROOT = Path(__file__).resolve().parents[2]


def test_every_command_and_option_is_in_the_reference() -> None:
    text = commands_markdown()
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(MODULES) <= set(sections)
    assert {"push data", "push metric", "push results", "push leaderboard"} <= set(sections)
    for option in ("`--head H`", "`--split S`", "`-o DIR`", "`--shots K`"):
        assert option in sections["run"], sections["run"]
    assert "%(" not in text


def test_every_field_of_a_result_file_is_in_the_reference(tmp_path: Path) -> None:
    text = schema_markdown()
    sections = dict(re.findall(r"^## `(.+?)`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    gene_eval.run("random", "starter_location", out=tmp_path, log=lambda line: None)
    (path,) = tmp_path.rglob("starter_location.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    top = text.partition("## The file")[2].partition("## ")[0]
    assert [name for name in content if f"| `{name}` |" not in top and name != "schema_version"] == []
    for record in ("task", "model", "coverage", "predictions"):
        assert [name for name in content[record] if f"| `{name}` |" not in sections[record]] == []
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \| +\|$", text, re.MULTILINE) == [], "fields that nothing is said of"
    # The parameters of a protocol are beside the fields of the record.
    settings = {"protocol", "engine", "seed", "split", "head", "shots", "entities", "convergence"}
    assert [name for name in settings if f"| `{name}` |" not in sections["probe"]] == []


def test_every_metric_is_defined_and_main_ones_are_named() -> None:
    section = (
        (ROOT / "docs/methods.md").read_text(encoding="utf-8").partition("\n## Metrics\n")[2].partition("\n## ")[0]
    )
    rows = [re.findall(r"`(\w+)`", row) for row in re.findall(r"^\|.*\|$", section, re.MULTILINE)]
    assert [names[0] for names in rows if len(names) > 1] == list(MAIN_METRIC.values())
    assert [set(names) for names in rows if len(names) > 1] == [set(names) for names in METRICS.values()]


def test_every_public_name_is_in_the_reference() -> None:
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    shown = {line.rpartition(".")[2] for line in text.splitlines() if line.startswith("::: ")}
    shown |= set(re.findall(r"members: \[(\w+)\]", text))
    assert set(gene_eval.__all__) - shown == {"__version__"}


def test_a_diagram_has_its_boxes_and_arrows() -> None:
    svg = diagram_svg('flowchart TD\n    a["one"] --> b & c\n    b["two"] --> c\n    c["three"]\n')
    assert re.findall(r"<text[^>]*>(\w+)<", svg) == ["one", "two", "three"]
    heights = [float(y) for y in re.findall(r"<text[^>]* y='(\d+)'", svg)]
    assert heights == sorted(set(heights))
    assert svg.count("<line ") == 3


def test_pages_ask_for_what_can_be_made_and_every_page_is_in_the_navigation() -> None:
    pages = {path.relative_to(ROOT / "docs").as_posix(): path for path in (ROOT / "docs").rglob("*.md")}
    asked = {
        name for path in pages.values() for name in re.findall(r"^<!-- made: (\w+) -->$", path.read_text("utf-8"), re.M)
    }
    assert asked == set(MADE)
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"[\w./-]+\.md", config.partition("\nnav:")[2]))
    assert set(pages) <= listed


def test_the_site_asks_nothing_from_elsewhere() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert config["theme"]["font"] is False
    assert not [entry for key in ("extra_css", "extra_javascript") for entry in config.get(key, []) if "//" in entry]


def test_the_pictures_are_those_of_the_example(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("sys.argv", ["make_pictures.py", "-o", str(tmp_path)])
    runpy.run_path(str(ROOT / "benchmarks" / "make_pictures.py"), run_name="__main__")
    for name in ("leaderboard-light.svg", "leaderboard-dark.svg"):
        made = (tmp_path / name).read_text(encoding="utf-8")
        assert made == (ROOT / "docs/pictures" / name).read_text(encoding="utf-8"), "run: make pictures"
        assert "all-MiniLM-L6-v2" in made
