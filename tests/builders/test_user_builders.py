"""A user's own builder, named as file.py:Class."""

from pathlib import Path

import pytest

from builders import BUILDERS, BuilderError, configs, select
from builders.user_builders import import_builder

CODE = """
import pandas as pd
from builders import GeneTaskBuilder, RawFile, Source, TaskConfig


class Mine(GeneTaskBuilder):
    SOURCE = Source(name="mine", title="Mine", files={"t": RawFile(names=("t.csv",), url=None)})
    BUILDER_CONFIGS = [TaskConfig(name="NAME", description="Mine.", target="regression", family="genomic")]

    def rows(self, config):
        table = self.read("t", ("gene", "x"), sep=",")
        return pd.DataFrame({"symbol": table["gene"], "label": table["x"].astype(float)})
"""


@pytest.fixture
def write(tmp_path: Path):
    def _write(name: str, code: str) -> Path:
        path = tmp_path / name
        path.write_text(code, encoding="utf-8")
        return path

    return _write


def test_names_of_the_file_come_into_the_catalogue(write):
    spec = f"{write('a.py', CODE.replace('NAME', 'mine_speed'))}:Mine"
    assert select([spec]) == ["mine_speed"]
    assert select([spec, "hgnc_hla_class"]) == ["hgnc_hla_class", "mine_speed"]
    assert configs()["mine_speed"].license == "unknown"


def test_a_taken_name_is_refused(write):
    spec = f"{write('b.py', CODE.replace('NAME', 'hgnc_hla_class'))}:Mine"
    with pytest.raises(BuilderError, match=r"b\.py:Mine: the task name 'hgnc_hla_class' is taken; choose another$"):
        select([spec])


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        (CODE, "Mime", r"has no GeneTaskBuilder 'Mime' \(it has Mine\); did you mean 'Mine'\?$"),
        ("x = 1 / 0", "Mine", r"cannot be run: ZeroDivisionError: division by zero \(c\.py, line 1\)$"),
        ("def f(:", "Mine", r"cannot be run: SyntaxError: .*\(c\.py, line 1\)"),
    ],
)
def test_what_is_wrong_with_the_file_is_one_line(write, code, name, message):
    with pytest.raises(BuilderError, match=message) as caught:
        import_builder(f"{write('c.py', code)}:{name}")
    assert "\n" not in str(caught.value)


def test_no_such_file(tmp_path):
    with pytest.raises(BuilderError, match=r"^no file .*absent\.py; expected file\.py:Class"):
        import_builder(f"{tmp_path}/absent.py:Mine")


def test_our_own_sources_say_everything():
    for source in {builder.SOURCE.name: builder.SOURCE for builder in BUILDERS}.values():
        assert all((source.homepage, source.version, source.license, source.license_url, source.citation)), source.name
