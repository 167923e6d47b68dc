"""Commands run in this process, as (exit status, stdout, stderr)."""

import datasets
import pytest

from gene_eval.cli.parser import main


@pytest.fixture(autouse=True)
def progress_bars():
    """The commands silence the bars of `datasets` for their process, which here is the tests'."""
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def cli(capsys):
    """Run a command and return (exit status, stdout, stderr)."""

    def cli(*argv):
        try:
            status = main([str(word) for word in argv])
        except SystemExit as stopped:  # argparse
            status = stopped.code
        return status, *capsys.readouterr()

    return cli


@pytest.fixture(scope="session")
def assert_one_line():
    """Exit status 2, nothing on stdout, one line on stderr that has these parts."""

    def assert_one_line(result, *parts):
        status, out, err = result
        assert status == 2
        assert out == ""
        assert err.startswith("gene-bench")
        assert err.count("\n") == 1
        for part in parts:
            assert part in err

    return assert_one_line
