"""What Dask adds to a cell: a run whose fits do nothing, through the same plan and executor as a real one.

    python benchmarks/cluster_overhead.py [--models 100] [--tasks 400] [--workers 2]

Prints milliseconds for each cell, and the largest memory of the scheduler. `run_stub` is the same as a function.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psutil
from distributed import Client, LocalCluster

from builders import RawFiles
from gene_eval.results.records import TaskRecord
from gene_eval.running.cluster.executor import Cluster
from gene_eval.running.cluster.files import put
from gene_eval.running.cluster.worker import StoredTask
from gene_eval.running.encoding.vectors import ModelVectors
from gene_eval.running.options import RunOptions
from gene_eval.running.outcome import Failure
from gene_eval.running.plan import Plan, RunModels
from model_adapters import load_model

TASK = TaskRecord("stub", "1.0.0", "binary", "gene", "genomic", "stub", 1000, "0" * 64, "stub", "0" * 64)


def stub(seconds: float) -> Callable[..., Failure]:
    """A fit that sleeps, and has no result: what it sends back is as small as the path of one."""

    def fit(*_: Any) -> Failure:
        time.sleep(seconds)
        return Failure("stub", "stub", "stub")

    return fit


def nothing(*_: Any) -> None:
    """An embedding that makes nothing."""


def run_stub(client: Client, *, models: int, tasks: int, seconds: float = 0.0) -> dict[str, float]:
    """Run `models` times `tasks` cells that sleep.

    Returns:
        `cells`, `wall_s`, `overhead_s` (a cell, of the client and scheduler: wall time less what the stubs slept, over
        the workers), `processor_s` (a cell, of this process) and `scheduler_bytes` (largest seen).
    """
    options = RunOptions(client=client, progress=False, log=lambda line: None)
    of_models = [
        ModelVectors(load_model(f"random:seed={number}"), RawFiles(None), name=f"model-{number}")
        for number in range(models)
    ]
    content = put("arrays of a task", None)
    of_tasks = [
        StoredTask(replace(TASK, id=f"stub_{number}"), ("symbol",), "genes", "random", content)
        for number in range(tasks)
    ]
    plan = Plan(RunModels(of_models), of_tasks, options.fits)
    largest, began, used = 0, time.perf_counter(), time.process_time()
    with Cluster(options, embed=nothing, fit=stub(seconds)) as cluster:
        for number, _ in enumerate(cluster.execute(plan, lambda stage, seconds: None)):
            if number % 1000 == 0:
                largest = max(largest, _memory_of_scheduler(client))
    wall = time.perf_counter() - began
    threads = sum(client.nthreads().values())
    return {
        "cells": len(plan),
        "wall_s": wall,
        "overhead_s": (wall - len(plan) * seconds / threads) / len(plan),
        "processor_s": (time.process_time() - used) / len(plan),
        "scheduler_bytes": largest,
    }


def _memory_of_scheduler(client: Client) -> int:
    process = client.run_on_scheduler(lambda: __import__("os").getpid())
    return int(psutil.Process(process).memory_info().rss)


def main() -> None:
    """Print what a stub run measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scheduler", help="of workers that run already; else workers are started here")
    arguments = parser.parse_args()
    cluster = None
    if arguments.scheduler is None:
        cluster = LocalCluster(n_workers=arguments.workers, threads_per_worker=1, dashboard_address=None)
    with Client(cluster or arguments.scheduler) as client:
        found = run_stub(client, models=arguments.models, tasks=arguments.tasks)
    print(f"{found['cells']:,.0f} cells in {found['wall_s']:.1f} s: {1e3 * found['overhead_s']:.2f} ms each")
    whose = "the client and the scheduler" if cluster else "the client"
    print(f"processor time of {whose}: {1e3 * found['processor_s']:.2f} ms a cell")
    print(f"scheduler: {found['scheduler_bytes'] / 1e6:.0f} MB{' with the client' if cluster else ''}")


if __name__ == "__main__":
    main()
