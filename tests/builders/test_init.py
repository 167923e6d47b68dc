"""The front of the package: what it offers, and how cheap it is to ask what tasks there are."""

import subprocess
import sys

import pytest

import builders

HEAVY = "{'datasets', 'numpy', 'pandas', 'pyarrow'} & sys.modules.keys()"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("import builders; n = len(builders.configs()) > 200", "True set()"),
        (
            "from builders import FOLD_SCHEME, BuilderError, TaskConfig, select; n = len(select(['starter_*']))",
            "4 set()",
        ),
        ("import builders.errors; n = 0", "0 set()"),
    ],
)
def test_the_catalogue_loads_no_heavy_library(repo, statement, expected):
    script = f"import sys; {statement}; print(n, {HEAVY})"
    done = subprocess.run([sys.executable, "-c", script], cwd=repo, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


def test_names_are_those_that_are_offered():
    listed = {name for names in builders._MODULES.values() for name in names}
    assert listed == set(builders.__all__)
    # A function of the name of its module would hide behind it, once that is imported.
    assert not listed & builders._MODULES.keys()
    with pytest.raises(AttributeError, match="module 'builders' has no attribute 'nothing'"):
        builders.nothing  # noqa: B018
