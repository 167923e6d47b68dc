"""A Hub in memory on loopback, and the real client set to talk to it."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import close_session

TOKEN = "hf_test" + "x" * 30


def _load(name, file):
    # Test folders are not packages.
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(file))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_load("fake_hub_repos", "repos.py")
server = _load("fake_hub", "server.py")


def pytest_itemcollected(item):
    # huggingface_hub uploads with an argument that its HTTP library calls deprecated.
    item.add_marker(pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"))


@pytest.fixture
def hub():
    """An empty Hub; `alice`, who is in the organization `genes`, has the token."""
    made = server.FakeHub().start()
    made.tokens[TOKEN] = ("alice", ["genes"])
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def token():
    return TOKEN


@pytest.fixture
def client(hub, monkeypatch):
    """huggingface_hub in this process, set to the Hub, logged in, with its waits recorded instead of waited."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for name, value in (("ENDPOINT", hub.url), ("HF_HUB_OFFLINE", False), ("HF_HUB_DISABLE_XET", True)):
        monkeypatch.setattr(constants, name, value)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    close_session()
    yield waits
    close_session()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Results of two models on two starter tasks."""
    from gene_eval.running.runner import run

    out = tmp_path_factory.mktemp("results")
    run(
        ["bag-of-words", "random:dim=8"],
        ["starter_is_tf", "starter_location"],
        out=out,
        log=lambda line: None,
    )
    return out


@pytest.fixture
def gene_bench(hub, client, capsys):
    """Run a command line in this process; returns (status, stdout, stderr)."""
    from gene_eval.cli.parser import main

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert TOKEN not in captured.out + captured.err, "the token was printed"
        return status, captured.out, captured.err

    return run


@pytest.fixture
def python(hub, tmp_path):
    """Run Python code in a process of its own with fresh caches, and return what it prints as JSON."""

    def run(code):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "fresh"), "HF_HUB_DISABLE_XET": "1"}
        environment |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run
