"""How a run and its reports grow with the number of cells (a model on a task by a split), with made-up results.

    python benchmarks/scale.py scheduler -o CSV [--models 1000] [--tasks 400] [--splits 3] [--speed 1]
    python benchmarks/scale.py report -o CSV DIR
    python benchmarks/scale.py plot CSV PNG

`scheduler` sends steps of the shape of a run to a Dask scheduler on this machine: a table of each task, vectors of each
model, and a fit for each cell, 5,000 in flight. A fit sleeps as long as one of 43 real tasks took (`TIMES`), divided by
`--speed` (0: not at all), so that what is counted is the scheduler, the client and the workers' own work: seconds of
processor a cell, and the peak memory of the process that holds scheduler and client. `report` times the commands on a
folder that `benchmarks/result_folder.py` made, each in a process of its own: the first reads every file, the others the
index. Each line of the CSV is one measurement.
"""

import argparse
import csv
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

COLUMNS = ("part", "cells", "processor_s", "wall_s", "peak_gib", "mb")
IN_FLIGHT = 5_000
# Seconds of solving and scoring, of the vectors of MiniLM on 43 tasks: quantiles, and their shares.
TIMES = ((0, 0.024), (0.1, 0.05), (0.25, 0.215), (0.5, 0.273), (0.75, 0.484), (0.9, 0.759), (1, 3.037))
COMMANDS = {
    "first report": ("report", "--format", "md"),
    "report md": ("report", "--format", "md"),
    "report csv": ("report", "--format", "csv"),
    "report json": ("report", "--format", "json"),
    "page": ("report", "--format", "html"),
    "compare": ("compare", "owner/model-2", "owner/model-3"),
    "card": ("card", "owner/model-2"),
}
SUFFIXES = {"md": ".md", "csv": ".csv", "json": ".json", "html": ".html"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    scheduler = parts.add_parser("scheduler")
    scheduler.add_argument("--models", type=int, default=1000)
    scheduler.add_argument("--tasks", type=int, default=400)
    scheduler.add_argument("--splits", type=int, default=3)
    scheduler.add_argument("--workers", type=int, default=2)
    scheduler.add_argument("--threads", type=int, default=32)
    scheduler.add_argument("--speed", type=float, default=1)
    scheduler.set_defaults(run=run_scheduler)
    report = parts.add_parser("report")
    report.add_argument("folder", type=Path, metavar="DIR")
    report.add_argument("--only", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    report.set_defaults(run=run_reports)
    for each in (scheduler, report):
        each.add_argument("-o", "--output", type=Path, metavar="CSV", required=True)
    plot = parts.add_parser("plot")
    plot.add_argument("table", type=Path, metavar="CSV")
    plot.add_argument("picture", type=Path, metavar="PNG")
    plot.set_defaults(run=draw)
    arguments = parser.parse_args()
    arguments.run(arguments)


def write(path: Path, **row: Any) -> None:
    """Add a measurement to the table."""
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow({name: f"{value:.4g}" if isinstance(value, float) else value for name, value in row.items()})
    print(row, flush=True)


def stub_table(number: int) -> str:
    return f"table {number}"


def stub_vectors(number: int) -> str:
    return f"vectors {number}"


def stub_fit(cell: tuple[int, int, int], table: str, vectors: str, seconds: float) -> dict[str, Any]:
    """What a worker sends back of a cell whose result it wrote."""
    time.sleep(seconds)
    return {"path": f"results/model-{cell[0]}/{table}@{cell[2]}.json", "seconds": {"solve": seconds}, "of": vectors}


def drawn(rng: random.Random) -> float:
    """Seconds of a fit."""
    share = rng.random()
    (low, first), (high, last) = next((a, b) for a, b in zip(TIMES, TIMES[1:], strict=False) if share <= b[0])
    return first + (last - first) * (share - low) / (high - low)


def processor_of_worker() -> float:
    return time.process_time()


def run_scheduler(arguments: argparse.Namespace) -> None:
    import dask
    from distributed import Client, LocalCluster, as_completed

    # On a machine that has other work, a process may get no turn for half a minute, the default.
    dask.config.set({"distributed.comm.timeouts.tcp": "1 hour", "distributed.comm.timeouts.connect": "1 hour"})
    rng = random.Random(0)
    sizes = (arguments.models, arguments.tasks, arguments.splits)
    with (
        LocalCluster(
            n_workers=arguments.workers,
            threads_per_worker=arguments.threads,
            resources={"cpu": arguments.threads, "gpu": 1},
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        before, started = time.process_time(), time.perf_counter()
        of_workers = sum(client.run(processor_of_worker).values())
        tables = [client.submit(stub_table, n, key=f"table-{n}", resources={"cpu": 1}) for n in range(arguments.tasks)]
        vectors: dict[int, Any] = {}

        def begun(cell: tuple[int, int, int]) -> Any:
            model, task, _ = cell
            if model not in vectors:
                vectors[model] = client.submit(stub_vectors, model, key=f"embed-{model}", resources={"gpu": 1})
            seconds = drawn(rng) / arguments.speed if arguments.speed else 0.0
            key = f"fit-{'-'.join(map(str, cell))}"
            return client.submit(
                stub_fit,
                cell,
                tables[task],
                vectors[model],
                seconds,
                key=key,
                pure=False,
                retries=2,
                resources={"cpu": 1},
            )

        cells: Iterator[tuple[int, int, int]] = product(*map(range, sizes))
        finished = as_completed([begun(cell) for cell in islice(cells, IN_FLIGHT)])
        n = 0
        for batch in finished.batches():
            n += len(client.gather(list(batch)))
            for cell in islice(cells, len(batch)):
                finished.add(begun(cell))
        spent = time.process_time() - before
        spent_by_workers = sum(client.run(processor_of_worker).values()) - of_workers
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        wall = time.perf_counter() - started
    write(arguments.output, part="scheduler and client", cells=n, processor_s=spent, wall_s=wall, peak_gib=peak)
    write(arguments.output, part="workers", cells=n, processor_s=spent_by_workers, wall_s=wall)


def run_reports(arguments: argparse.Namespace) -> None:
    cells = sum(1 for _ in arguments.folder.glob("*/*.json"))
    with tempfile.TemporaryDirectory() as folder:
        for part in arguments.only:
            command, *options = COMMANDS[part]
            words = [sys.executable, "-m", "gene_eval", command, str(arguments.folder), *options]
            output = Path(folder, f"out{SUFFIXES.get(options[-1], '.md')}")
            # What compare says goes to standard output.
            words += [] if command == "compare" else ["-o", str(output)]
            started = time.perf_counter()
            with output.open("w") as file:
                process = subprocess.Popen(words, stdout=file, stderr=subprocess.DEVNULL)
                _, status, usage = os.wait4(process.pid, 0)
            if status:
                print(f"{part}: exit status {os.waitstatus_to_exitcode(status)}")
                continue
            written = [output, *(Path(folder).glob("out_parts/*") if part == "page" else ())]
            write(
                arguments.output,
                part=part,
                cells=cells,
                processor_s=usage.ru_utime + usage.ru_stime,
                wall_s=time.perf_counter() - started,
                peak_gib=usage.ru_maxrss / 2**20,
                mb=sum(path.stat().st_size for path in written) / 1e6,
            )
            if part == "page":
                write(arguments.output, part="page without its parts", cells=cells, mb=output.stat().st_size / 1e6)


def draw(arguments: argparse.Namespace) -> None:
    import pandas as pd
    from matplotlib.figure import Figure

    table = pd.read_csv(arguments.table)
    figure = Figure(figsize=(12, 5), layout="constrained")
    panels = figure.subplots(1, 3)
    of_scheduler = table["part"].isin(["scheduler and client", "workers"])
    panel_of = (
        ("processor_s", "seconds of processor", table[~of_scheduler]),
        ("peak_gib", "peak memory, GiB", table),
        (
            "ms",
            "milliseconds of processor a cell",
            table.assign(ms=1e3 * table["processor_s"] / table["cells"])[of_scheduler],
        ),
    )
    for panel, (column, label, rows) in zip(panels, panel_of, strict=True):
        for part, found in rows.dropna(subset=[column]).groupby("part", sort=False):
            means = found.groupby("cells")[column].mean()
            panel.plot(means.index, means, marker="o", label=part)
        panel.set(xscale="log", yscale="linear" if column == "ms" else "log", xlabel="cells", ylabel=label)
        panel.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=3)
    panels[2].set_ylim(bottom=0)
    figure.savefig(arguments.picture, dpi=110)


if __name__ == "__main__":
    main()
