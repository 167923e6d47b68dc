"""A scheduler and two workers, started by hand as a user would: the same files as on one machine, whoever dies."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
from distributed import Client

from gene_eval.cli import main
from gene_eval.files import PART
from gene_eval.running.runner import run

pytestmark = pytest.mark.filterwarnings("ignore")

MODELS = ["random", "random:dim=16"]
HEADS = ["linear", "ridge"]
BROKEN = """
import pathlib

from model_adapters import GeneEncoder


class Broken(GeneEncoder):
    model_id = "broken"

    def encode(self, batch):
        with pathlib.Path({tries!r}).open("a") as file:
            file.write("tried\\n")
        raise RuntimeError("the device fell off")
"""


def contents(folder):
    """File -> what must not depend on where it was made; a worker that is killed may leave the part of a file."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not PART.fullmatch(path.name):
            content = path.read_bytes()
            if path.suffix == ".json":
                result = json.loads(content)
                assert result.pop("timing")
                assert result.pop("created_at")
                content = json.dumps(result)
            found[path.relative_to(folder).as_posix()] = content
    return found


@pytest.fixture(scope="module")
def here(tmp_path_factory, one_thread):
    """The files of a run on one machine, with one thread as each worker has."""
    out = tmp_path_factory.mktemp("here")
    run(MODELS, "starter_*", head=HEADS, out=out, log=[].append)
    return contents(out)


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """The scheduler's file, and the worker processes."""
    folder = tmp_path_factory.mktemp("cluster")
    place = folder / "scheduler.json"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    common = {"cwd": folder, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def start(what, *arguments):
        words = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--scheduler-file", place, *arguments]
        return subprocess.Popen([*map(str, words), "--no-dashboard"], **common)

    scheduler = start("scheduler", "--port", "0", "--host", "127.0.0.1")
    workers = [start("worker", "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1") for _ in range(2)]
    until = time.monotonic() + 60
    while not place.exists() and time.monotonic() < until:
        time.sleep(0.05)
    with Client(scheduler_file=str(place)) as client:
        client.wait_for_workers(2, timeout=120)
    yield place, workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


def test_the_same_files_although_a_worker_is_killed(here, processes, tmp_path, capsys):
    place, workers = processes
    out = tmp_path / "out"

    def kill():
        until = time.monotonic() + 120
        while not list(out.rglob("*.json")) and time.monotonic() < until:
            time.sleep(0.01)
        workers[0].send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    words = ["run", *MODELS, "-t", "starter_*", "-o", str(out), "--scheduler-file", str(place), "--dashboard"]
    assert main([*words, *(f"--head={head}" for head in HEADS)]) == 0
    killer.join()
    said = capsys.readouterr().err
    # The worker may have written a result and been killed before it could say so.
    written, there = re.search(r"(\d+) results written", said), re.search(r"(\d+) were up to date", said)
    assert int(written[1]) + (int(there[1]) if there else 0) == 16
    assert "dashboard: http" in said
    assert contents(out) == here

    # Whoever has made them, results that are there are not made again.
    assert main([*words, *(f"--head={head}" for head in HEADS)]) == 0
    assert "16 were up to date" in capsys.readouterr().err

    model, tries = tmp_path / "broken.py", tmp_path / "tries.txt"
    model.write_text(BROKEN.format(tries=str(tries)))
    with Client(scheduler_file=str(place)) as client:
        models = ["random", f"{model}:Broken"]
        results = run(models, "starter_is_tf", client=client, gather=True, out=tmp_path / "sent", log=[].append)
    sent = {name: here[name] for name in here if name.startswith("random/starter_is_tf.")}
    assert contents(tmp_path / "sent") == sent
    assert [(each.model, each.task) for each in results.failures] == [("broken", "starter_is_tf")]
    assert "the device fell off" in results.failures[0].reason
    assert tries.read_text().splitlines() == ["tried"] * 3


def test_workers_of_a_file(here, tmp_path):
    place, out = tmp_path / "cluster.yaml", tmp_path / "out"
    place.write_text("local: {workers: 1}\n")
    assert main(["run", "random", "-t", "starter_is_tf", "-o", str(out), "--head=ridge", "--cluster", str(place)]) == 0
    assert contents(out) == {name: here[name] for name in contents(out)}
    assert len(contents(out)) == 2
