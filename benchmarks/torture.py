"""The campaign against faults: kills, races, damages and mutations on starter data; exits 1 if anything went wrong.

    python benchmarks/torture.py --kills 200 --races 40 --damages 200 --mutations 20000 --seed 0

- kills: a run on an empty cache is killed (SIGKILL) at a random time, perhaps twice, and run again to its end.
- races: three processes begin at once on an empty cache, with a results folder each or one for all.
- damages: one file of a complete cache, of an interrupted embedding, or of the results is cut, emptied, changed,
  removed or replaced by another one, and the run repeated.
- mutations: vector files, tables, result files, cards and user tasks with a few changed bytes are read.

Results are compared with those of an undisturbed run, all but dates and times. What counts as a fault: a result that
was saved and is not there any more (lost), one that says something else without a word (different), a traceback or a
process that dies (traceback), one that does not end (hang), a temporary file that stays (left over). Each is printed
with the numbers that make it again.
"""

import argparse
import faulthandler
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

FAULTS = ("lost", "different", "traceback", "hang", "left over")
HANG = 600.0
"""Seconds; an undisturbed run takes a few, on a busy machine a hundred."""
SLOW = """
import time
import numpy as np

class Slow:
    model_id, revision, input_column, version, batch_size = "slow", "1", "description", "1", 64

    def encode(self, batch):
        time.sleep(0.05)
        return np.array([[len(text), text.count("e"), text.count(" ")] for text in batch], dtype=float)
"""


@dataclass
class Tally:
    """What was tried and what went wrong, by kind of trial."""

    done: Counter[str] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, kind: str, fault: str, where: str) -> None:
        self.faults[kind, fault] += 1
        print(f"{fault}: {' | '.join(where.splitlines())}", flush=True)

    def lines(self) -> Iterator[str]:
        yield f"{'':<12}{'done':>8}" + "".join(f"{fault:>12}" for fault in FAULTS)
        for kind, count in self.done.items():
            yield f"{kind:<12}{count:>8}" + "".join(f"{self.faults[kind, fault]:>12}" for fault in FAULTS)


@dataclass(frozen=True)
class Folders:
    """Where one state of the world lies."""

    root: Path

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def out(self) -> Path:
        return self.root / "results"

    @property
    def log(self) -> Path:
        return self.root / "log"


class Torture:
    """The campaign: a folder to work in, an undisturbed run to compare with, and the tally."""

    def __init__(self, work: Path, seed: int) -> None:
        self.work, self.seed, self.tally = work, seed, Tally()
        (work / "slow.py").write_text(SLOW, encoding="utf-8")
        self.model = f"{work / 'slow.py'}:Slow"
        self.complete = Folders(work / "complete")
        began = time.monotonic()
        status = wait(self.start(self.complete))
        self.duration = time.monotonic() - began
        if status != 0:
            raise SystemExit(self.complete.log.read_text(encoding="utf-8"))
        self.expected = contents(self.complete.out)

    def start(self, at: Folders, *, out: Path | None = None, command: str = "run") -> int:
        """Begin a run in a process of its own; what it says goes to the log."""
        at.root.mkdir(parents=True, exist_ok=True)
        target = str(out or at.out)
        run = ["run", "bag-of-words", self.model, "-t", "starter_*", "--predictions", "-o", target]
        return start(run if command == "run" else [command, target], at)

    def fresh(self, name: str, *, like: Folders | None = None) -> Folders:
        """An empty state, or a copy of another one, in place of the one before of this name."""
        folders = Folders(self.work / name)
        shutil.rmtree(folders.root, ignore_errors=True)
        if like is not None:
            shutil.copytree(like.root, folders.root)
            folders.log.unlink(missing_ok=True)
        return folders

    def judge(self, kind: str, at: Folders, status: int | None, where: str, *, out: Path | None = None) -> None:
        """Compare the end of a run with the undisturbed one."""
        found, log = contents(out or at.out), at.log.read_text(encoding="utf-8", errors="replace")
        if status is None:
            self.tally.add(kind, "hang", f"{where}: {log[-3000:]}")
        elif "Traceback" in log or status < 0 or status not in (0, 1, 2):
            self.tally.add(kind, "traceback", f"{where} (status {status}): {log[-600:]}")
        else:
            # A file that is named as unreadable is not silent.
            wrong = [path for path in self.expected if found.get(path) != self.expected[path] and path not in log]
            if wrong:
                fault = "different" if wrong[0] in found else "lost"
                self.tally.add(kind, fault, f"{where}: {', '.join(wrong)} (status {status}): {log[-600:]}")
        left = [path.name for path in at.root.rglob("*.part")]
        if left:
            self.tally.add(kind, "left over", f"{where}: {left}")

    def kill(self, count: int) -> None:
        number = 0
        while number < count:
            at = self.fresh("kill")
            times = []
            for _ in range(2):
                luck = random.Random(f"{self.seed} kill {number}")
                times.append(luck.uniform(0, 1.1 * self.duration))
                number += 1
                before = contents(at.out)
                process = self.start(at)
                time.sleep(times[-1])
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                after = contents(at.out)
                where = f"kill {number} of seed {self.seed}, after {times} s"
                for path in before.keys() - after.keys():
                    self.tally.add("kills", "lost", f"{where}: {path}")
                for path in after:
                    if after[path] != self.expected.get(path):
                        self.tally.add("kills", "different", f"{where}: {path} is half written")
                if number == count or luck.random() < 0.5:
                    break
            self.judge("kills", at, wait(self.start(at)), where)
            self.tally.done["kills"] = number

    def race(self, count: int) -> None:
        for number in range(count):
            at = self.fresh("race")
            at.cache.mkdir(parents=True)
            shared = number % 2 == 1
            outs = [at.out if shared else at.root / f"results-{i}" for i in range(3)]
            logs = [Folders(at.root / f"process-{i}") for i in range(3)]
            processes = []
            for out, own in zip(outs, logs, strict=True):
                own.root.mkdir(parents=True)
                own.cache.symlink_to(at.cache)
                processes.append(self.start(own, out=out))
            statuses = [wait(process) for process in processes]
            for i, (out, own, status) in enumerate(zip(outs, logs, statuses, strict=True)):
                self.judge("races", own, status, f"race {number}, process {i}", out=out)
            self.tally.done["races"] += 1

    def damage(self, count: int) -> None:
        interrupted = self.interrupted()
        for number in range(count):
            luck = random.Random(f"{self.seed} damage {number}")
            place = luck.choice(("cache", "cache", "chunk", "results"))
            at = self.fresh("damage", like=interrupted if place == "chunk" else self.complete)
            pattern = {"cache": "cache", "chunk": "cache/**/embedding-*", "results": "results"}[place]
            files = sorted(
                path for path in at.root.glob(f"{pattern}/**/*") if path.is_file() and path.suffix != ".lock"
            )
            victim, how = luck.choice(files), luck.choice(list(DAMAGES))
            DAMAGES[how](victim, luck, files)
            if place == "cache":
                shutil.rmtree(at.out)
            where = f"damage {number} of seed {self.seed}: {victim.relative_to(at.root)} {how}"
            if place == "results" and luck.random() < 0.5:
                status = wait(self.start(at, command="report"))
                log = at.log.read_text(encoding="utf-8", errors="replace")
                if status not in (0, 1) or "Traceback" in log:
                    self.tally.add("damages", "hang" if status is None else "traceback", f"{where}: {log[-600:]}")
            self.judge("damages", at, wait(self.start(at)), where)
            self.tally.done["damages"] += 1

    def interrupted(self) -> Folders:
        """A state in which the embedding of the slow model has one chunk of two."""
        at = self.fresh("interrupted")
        process = self.start(at)
        while not list((at.cache / "gene-bench/starter_genes").glob("*/*/embedding-*/*.chunk")):
            time.sleep(0.002)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        return at


def start(argv: list[str], at: Folders) -> int:
    """Run the command line in a forked process, which has imported everything already."""
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    status = 70
    try:
        log = os.open(at.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        faulthandler.enable()
        import datasets

        from gene_eval.cli.parser import main as gene_bench

        datasets.config.HF_DATASETS_CACHE = at.cache
        status = gene_bench(argv)
    except BaseException:  # noqa: BLE001 - whatever passes `main` is what is looked for
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def wait(process: int) -> int | None:
    """The exit status, negative for a signal; None if it had to be killed."""
    deadline = time.monotonic() + HANG
    while time.monotonic() < deadline:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    # Its stacks go to the log.
    os.kill(process, signal.SIGABRT)
    os.waitpid(process, 0)
    return None


def contents(folder: Path) -> dict[str, str]:
    """Result files by path: all that they say but for dates and times; predictions by their hash."""
    found = {}
    for path in sorted(folder.glob("*/**/*.json")):
        try:
            content = json.loads(path.read_bytes())
        except (ValueError, OSError):
            content = {}
        for name in ("created_at", "timing"):
            content.pop(name, None)
        beside = path.with_name(path.name.replace(".json", ".predictions.parquet"))
        found[str(path.relative_to(folder))] = json.dumps([content, beside.exists()], sort_keys=True)
    return found


def _cut(path: Path, luck: random.Random, files: list[Path]) -> None:
    os.truncate(path, luck.randrange(path.stat().st_size or 1))


def _zero(path: Path, luck: random.Random, files: list[Path]) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _flip(path: Path, luck: random.Random, files: list[Path]) -> None:
    content = bytearray(path.read_bytes() or b"x")
    content[luck.randrange(len(content))] ^= 1 << luck.randrange(8)
    path.write_bytes(content)


def _replace(path: Path, luck: random.Random, files: list[Path]) -> None:
    other = luck.choice(files)
    if other != path:
        shutil.copyfile(other, path)


def _folder(path: Path, luck: random.Random, files: list[Path]) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path, random.Random, list[Path]], None]] = {
    "cut": _cut,
    "zeroed": _zero,
    "changed in one bit": _flip,
    "removed": lambda path, luck, files: path.unlink(),
    "replaced by another": _replace,
    "replaced by a folder": _folder,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, count in (("kills", 20), ("races", 5), ("damages", 60), ("mutations", 3000)):
        parser.add_argument(f"--{name}", type=int, default=count, metavar="N", help=f"default: {count}")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gene-bench-torture-") as work:
        # Read once, when `datasets` is imported; threads would not survive the fork.
        os.environ |= {"HF_HOME": f"{work}/hf", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        os.environ.pop("GENE_BENCH_DATA_DIR", None)
        import_module("gene_eval.cli.scoring")
        from torture_inputs import mutate

        torture = Torture(Path(work), asked.seed)
        torture.kill(asked.kills)
        torture.race(asked.races)
        torture.damage(asked.damages)
        mutate(Path(work), torture.tally, count=asked.mutations, seed=asked.seed)
        print("\n".join(torture.tally.lines()))
        return int(bool(torture.tally.faults))


if __name__ == "__main__":
    sys.exit(main())
