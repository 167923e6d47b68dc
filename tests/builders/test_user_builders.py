"""A user's own builder, named as file.py:Class."""

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from builders import BUILDERS, BuilderError, cached, configs, load, select
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


BODY = """
import sys
import numpy as np
import pandas as pd
from builders import GeneTaskBuilder, Source, TaskConfig


class Mine(GeneTaskBuilder):
    SOURCE = Source(name="mine", title="Mine", files={})
    PACKAGED = True
    BUILDER_CONFIGS = [TaskConfig(name="NAME", target="TARGET")]

    def rows(self, config):
        symbols = [f"G{i}" for i in range(20)]
        RETURN
"""
LINE = 13  # of `def rows`
FRAME = "return pd.DataFrame({{'symbol': symbols, 'label': {}}})".format
BAD_ROWS = {
    "raises": ("binary", "raise KeyError('x')", r"^N: KeyError: 'x' \(mine\.py, line 15\)$"),
    "raises below": ("binary", "return pd.DataFrame({'a': [1]})['b']", r"^N: KeyError: 'b' \(mine\.py, line 15\)$"),
    "exits": ("binary", "sys.exit(0)", r"^N: SystemExit: 0 \(mine\.py, line 15\)$"),
    "nothing": ("binary", "pass", r"^N: rows\(\) returned NoneType; expected a pandas\.DataFrame with symbol, label "),
    "a dict": ("binary", "return {'symbol': symbols}", r"^N: rows\(\) returned dict; expected a pandas\.DataFrame"),
    "no row": ("binary", "return pd.DataFrame({'symbol': [], 'label': []})", r"^N: rows\(\) returned no rows"),
    "no label": (
        "binary",
        "return pd.DataFrame({'symbol': symbols})",
        r"^N: rows\(\) lacks 'label'; it returned 'symbol' ",
    ),
    "an index": (
        "binary",
        "return pd.DataFrame({'label': 'a'}, index=symbols)",
        r"^N: rows\(\) lacks 'symbol'; it returned 'label' ",
    ),
    "numbers as names": ("binary", FRAME("[0, 1] * 10"), r"^N: rows\(\): label of row 0 is 0; expected a name as str "),
    "booleans": ("binary", FRAME("[True, False] * 10"), r"label of row 0 is True; expected a name as str "),
    "a missing name": (
        "multiclass",
        FRAME("['a'] * 9 + [None] + ['b'] * 10"),
        r"label of row 9 is (None|nan); expected a name as str",
    ),
    "names as numbers": ("regression", FRAME("['1.5'] * 20"), r"label of row 0 is '1\.5'; expected a number "),
    "truth as number": ("regression", FRAME("[True] * 20"), r"label of row 0 is True; expected a number "),
    "a missing number": (
        "regression",
        FRAME("[1.0, np.nan] * 10"),
        r"label of row 1 is nan; expected a number",
    ),
    "one name for a set": (
        "multilabel",
        FRAME("['a'] * 20"),
        r"label of row 0 is 'a'; expected a collection of names ",
    ),
    "sets of numbers": (
        "multilabel",
        FRAME("[[1], [2]] * 10"),
        r"label of row 0 is \[1\]; expected names as str in it ",
    ),
    "ids that are numbers": (
        "binary",
        "return pd.DataFrame({'symbol': range(20), 'label': ['a', 'b'] * 10})",
        r"^N: rows\(\): symbol of row 0 is 0; expected an identifier as str ",
    ),
    "three classes": (
        "binary",
        FRAME("['a', 'b', 'c', 'd'] * 5"),
        r"^N: 4 classes \(a, b, c, d\); a binary task has two$",
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_rows_that_are_wrong_are_one_line_with_file_and_line(write, tmp_path, case):
    target, returned, message = BAD_ROWS[case]
    name = f"bad_{case.replace(' ', '_')}"
    code = BODY.replace("NAME", name).replace("TARGET", target).replace("RETURN", returned)
    (task,) = select([f"{write('mine.py', code)}:Mine"])
    with pytest.raises(BuilderError, match=message.replace("^N", f"^{name}")) as caught:
        load(task, cache_dir=tmp_path / "cache")
    assert "\n" not in str(caught.value)
    if "rows()" in str(caught.value):
        assert str(caught.value).endswith(f" (mine.py, line {LINE})")


GOOD = FRAME("['a', 'b'] * 10")


@pytest.mark.parametrize(
    ("kind", "target", "labels"),
    [
        ("list", "multilabel", "[['a'], ['b', 'a']] * 10"),
        ("tuple", "multilabel", "[('a',), ()] * 10"),
        ("array", "multilabel", "[np.array(['a']), np.array(['b'])] * 10"),
        ("set", "multilabel", "[{'a'}, frozenset('b')] * 10"),
        ("whole_numbers", "regression", "range(20)"),
        ("decimals", "regression", "np.arange(20, dtype='float32')"),
        ("mixed_numbers", "regression", "[1, 2.5] * 10"),
        ("categories", "multiclass", "pd.Categorical(['a', 'b'] * 10)"),
    ],
)
def test_labels_that_are_fine(write, tmp_path, kind, target, labels):
    code = BODY.replace("NAME", f"fine_{kind}").replace("TARGET", target).replace("RETURN", FRAME(labels))
    (task,) = select([f"{write('mine.py', code)}:Mine"])
    assert load(task, cache_dir=tmp_path / "cache").audit.n == 20


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("import sys", "import sys; sys.exit(0)", r"mine\.py cannot be run: SystemExit: 0 \(mine\.py, line 2\)$"),
        (
            'target="binary"',
            'target="binry"',
            r"target is 'binry', expected binary, multiclass, .*; did you mean 'binary'\?",
        ),
        ('name="NAME"', 'name="a/b"', r"task name 'a/b'; expected letters, digits, .* \(mine\.py, line 8\)$"),
        ("SOURCE = ", "SORCE = ", r"cannot be run: AttributeError: .*'SOURCE' \(mine\.py, line 8\)$"),
    ],
)
def test_a_class_that_is_wrong(write, old, new, message):
    code = BODY.replace("TARGET", "binary").replace("RETURN", GOOD).replace(old, new)
    with pytest.raises(BuilderError, match=message) as caught:
        select([f"{write('mine.py', code)}:Mine"])
    assert "\n" not in str(caught.value)


def test_an_edited_file_is_run_as_it_is_now(write, tmp_path):
    one = BODY.replace("NAME", "edited").replace("TARGET", "binary").replace("RETURN", FRAME("['a', 'b'] * 10"))
    path = write("mine.py", one)
    select([f"{path}:Mine"])
    first = load("edited", cache_dir=tmp_path / "cache")
    assert [row["label"] for row in first.dataset] == [int(row["symbol"][1:]) % 2 for row in first.dataset]
    # The same size and time of change, as after an edit within a second: bytecode caches go by these.
    times = path.stat()
    path.write_text(one.replace("['a', 'b']", "['b', 'a']"), encoding="utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    select([f"{path}:Mine"])
    assert cached("edited", cache_dir=tmp_path / "cache") is None
    second = load("edited", cache_dir=tmp_path / "cache")
    assert [row["label"] for row in second.dataset] == [1 - int(row["symbol"][1:]) % 2 for row in second.dataset]
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_class_without_a_source_file(tmp_path):
    code = BODY.replace("NAME", "typed").replace("TARGET", "binary").replace("RETURN", GOOD)
    names = {"__name__": "typed_in"}
    sys.modules["typed_in"] = ModuleType("typed_in")
    exec(code, names)
    with pytest.raises(
        BuilderError, match=r"^the source of Mine, on which its rows depend, cannot be read; put the class"
    ):
        names["Mine"]("typed", cache_dir=tmp_path)
    del sys.modules["typed_in"]
