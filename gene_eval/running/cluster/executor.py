"""The client's side of a run on many machines: submits steps, tries again what died, and takes up what is done."""

import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from distributed import KilledWorker, as_completed

from gene_eval.errors import GeneBenchError, SchedulerLostError
from gene_eval.results import store
from gene_eval.running.boundary import one_line_errors, reason_of
from gene_eval.running.cluster.batches import Batches
from gene_eval.running.cluster.files import put, read
from gene_eval.running.cluster.vectors import Want, all_models, make, models_to_send, needed_first, travels, wants
from gene_eval.running.cluster.worker import (
    Broken,
    Done,
    Job,
    OnWorkers,
    Outcome,
    RunPlugin,
    StoredTask,
    build,
    embed,
    fit,
    fit_all,
    stored_task,
    without_content,
)
from gene_eval.running.cluster.workers import Workers
from gene_eval.running.options import RunOptions
from gene_eval.running.outcome import Failure
from gene_eval.running.plan import Cell, Plan
from gene_eval.running.scoring import Found, Scored, found_at, kept
from gene_eval.running.tasks import TaskArrays
from gene_eval.text import say

__all__ = ["Cluster"]

TRIES = 3
"""Of a step, before its cells fail with its reason."""
LOSSES = 12
"""Deaths of workers that may take from a cell what was sent to them for it: as many as a step may cause."""
FOLDER = ".run-"
"""Beginning of the name of what workers share during a run, in the folder of the results."""
OLD = 7 * 86_400.0
PATIENCE = 15.0
"""Seconds until a file that a worker wrote must be there: network file systems show it late."""


class Cluster:
    """Executes plans on the workers of a Dask client.

    Args:
        options: Of a run, with its client.
        embed: The step that makes vectors.
        fit: The step that scores a cell; a benchmark puts one that does nothing in its place.
    """

    def __init__(
        self, options: RunOptions, *, embed: Callable[..., Any] = embed, fit: Callable[..., Any] = fit
    ) -> None:
        self.options, self.client = options, options.client
        self._embed, self._fit = embed, fit
        self.name = f"gene-bench-{uuid.uuid4().hex[:12]}"
        self.is_shared = options.out is not None and not options.gather
        self.shared: Path | None = None
        if options.out is not None and self.is_shared:
            self.shared = options.out.resolve() / f"{FOLDER}{self.name.rpartition('-')[2]}"
        self.workers = Workers(self.client, options.log)
        self.sent = replace(
            options,
            out=options.out.resolve() if options.out and self.is_shared else None,
            client=None,
            gather=False,
            log=say,
            progress=False,
        )
        self._where: dict[int, tuple[Any, int]] = {}
        self._made: dict[Want, Any] = {}
        self._tries: Counter[Any] = Counter()
        self._flight: dict[str, tuple[list[Cell], Any]] = {}
        self._losses: Counter[Cell] = Counter()
        self._steps = 0

    def __enter__(self) -> Self:
        """Make the folder that steps share, and listen to the workers."""
        self.workers.look()
        if self.shared is not None:
            self.shared.mkdir(parents=True)
            for left in self.shared.parent.glob(f"{FOLDER}*"):
                # Of clients that were killed.
                if time.time() - left.stat().st_mtime > OLD:
                    shutil.rmtree(left, ignore_errors=True)
        self.client.subscribe_topic(self.name, lambda event: self.options.log(str(event[1])))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Take back what has not begun; what is being computed is finished and written by its worker."""
        # Of a scheduler that is gone nothing can be taken back.
        with suppress(Exception):
            self.client.cancel([future for _, future in self._flight.values()], force=True)
            self.client.unregister_worker_plugin(self.name)
            self.client.unsubscribe_topic(self.name)
        if self.shared is not None:
            shutil.rmtree(self.shared, ignore_errors=True)

    def build(self, chosen: Mapping[str, Sequence[str]]) -> Iterator[StoredTask | Failure]:
        """Build tasks of gene-bench on the workers; see `gene_eval.running.tasks.collect_tasks`."""
        started = {name: self._start_build(name, globs) for name, globs in chosen.items()}
        for name, globs in chosen.items():
            tables, shown = started.pop(name)
            try:
                found = self._result(shown)
                while found is None:
                    tables, shown = self._start_build(name, globs)
                    found = self._result(shown)
            except GeneBenchError as error:
                if isinstance(error, SchedulerLostError):
                    raise
                yield Failure(name, "", str(error))
                continue
            for at, each in enumerate(found):
                self._where[id(each)] = (tables, at)
                yield each

    def _start_build(self, name: str, globs: Sequence[str]) -> tuple[Any, Any]:
        names = [f"{name}/{glob}" if glob else name for glob in globs]
        self._tries[name] += 1
        key = f"{self.name}-table-{name}-{self._tries[name]}"
        tables = self._submit("cpu", key, build, self.sent, names, self.shared)
        return tables, self.client.submit(without_content, tables, key=f"{key}-shown", pure=False)

    def _result(self, future: Any) -> Any:
        """The result of a table's step; None where its worker died and it may be tried again.

        Raises:
            GeneBenchError: It failed three times.
            SchedulerLostError: The scheduler is gone.
        """
        try:
            return future.result()
        except KilledWorker as error:
            if self._tries[str(error.task).removeprefix(f"{self.name}-table-").rpartition("-")[0]] < TRIES:
                return None
            raise GeneBenchError(_why_killed(error)) from error
        # What a worker raises is anything.
        except Exception as error:
            if future.status in ("cancelled", "lost"):
                raise self._lost() from error
            raise GeneBenchError(reason_of(error)) from error

    def execute(self, plan: Plan, took: Callable[[str, float], None]) -> Iterator[tuple[Cell, Scored | Failure]]:
        """Score all cells of a plan, in the order in which workers finish them.

        Args:
            plan: Of the run.
            took: Takes a stage and its seconds.

        Raises:
            SchedulerLostError: The scheduler is gone; what was finished is saved.
        """
        from tqdm.auto import tqdm

        run = OnWorkers(self.sent, models_to_send(plan.models), self.shared, self.name)
        self.client.register_plugin(RunPlugin(self.name, run), name=self.name)
        places = [self._place(task) for task in plan.tasks]
        embedded, in_flight = dict[Want, float](), 0
        finished: Any = as_completed(loop=self.client.loop)  # type: ignore[no-untyped-call]
        waiting = Batches(plan)
        self.workers.look()
        with tqdm(total=len(plan), desc="Scoring", unit="cell", disable=self.options.hides_bars, leave=False) as bar:

            def more() -> Iterator[tuple[Cell, Failure]]:
                nonlocal in_flight
                there = {"threads": self.workers.threads, "workers": self.workers.count}
                for batch in waiting.take(in_flight, **there):
                    jobs, inputs, failures = self._jobs(plan, batch, places)
                    bar.update(len(failures))
                    yield from failures
                    if jobs:
                        in_flight += len(jobs)
                        finished.add(self._start(jobs, inputs, waiting))

            yield from more()
            for done in finished.batches():
                for batch, outcomes in self._outcomes(plan, done):
                    in_flight -= len(batch)
                    left = []
                    for cell, (what, seconds) in zip(batch, outcomes, strict=True):
                        if what is None:
                            left.append(cell)
                            continue
                        if isinstance(what, Broken):
                            if self._tries[cell] < TRIES:
                                # Alone: whatever it does, it does to itself.
                                waiting.again([cell])
                                continue
                            what = self._failed(plan, cell, what.reason)
                        waiting.took(cell, seconds)
                        del self._tries[cell]
                        bar.update()
                        if isinstance(what, Done):
                            embedded |= what.embedded
                        yield cell, self._taken(plan, cell, what) if isinstance(what, Done) else what
                    if left:
                        self._tries.subtract(left)
                        waiting.again(left)
                if self.workers.look():
                    bar.set_postfix(workers=self.workers.count)
                yield from more()
        took("embed", sum(embedded.values()))

    def _outcomes(self, plan: Plan, done: Sequence[Any]) -> Iterator[tuple[list[Cell], list[Outcome]]]:
        """What became of the cells of some steps."""
        ready = [future for future in done if future.status == "finished"]
        results = dict(zip([each.key for each in ready], self._gathered(ready), strict=True))
        for future in done:
            cells, _ = self._flight.pop(future.key)
            if future.key in results:
                yield cells, results[future.key]
                continue
            error = future.exception() if future.status == "error" else None
            if error is None and self.workers.is_lost():
                raise self._lost()
            if error is None or isinstance(error, KilledWorker):
                self._forget_broken()
            if error is None:
                # What the client had sent is lost with its worker: no fault of the step.
                self._losses.update(cells)
                is_often = self._losses[cells[0]] >= LOSSES
                what = Broken(f"what it needs was lost with its workers {LOSSES} times") if is_often else None
                yield cells, [Outcome(what, 0.0) for _ in cells]
            elif isinstance(error, KilledWorker):
                yield cells, [Outcome(Broken(_why_killed(error)), 0.0) for _ in cells]
            else:
                yield cells, [Outcome(self._failed(plan, cell, reason_of(error)), 0.0) for cell in cells]

    def _failed(self, plan: Plan, cell: Cell, why: str) -> Failure:
        return Failure(plan.tasks[cell.task].record.id, plan.models.scored[cell.model].name, why)

    def _gathered(self, futures: Sequence[Any]) -> list[Any]:
        try:
            # From the workers themselves where results are sent back: they do not pass through the scheduler.
            found: list[Any] = self.client.gather(list(futures), direct=True if not self.is_shared else None)
        except Exception as error:
            if self.workers.is_lost():
                raise self._lost() from error
            raise
        return found

    def _forget_broken(self) -> None:
        """Make vectors again whose step died, or that were sent to workers that are gone."""
        for want, made in list(self._made.items()):
            if _is_gone(made):
                del self._made[want]

    def _taken(self, plan: Plan, cell: Cell, done: Done) -> Scored | Failure:
        """The result of a cell, read from the folder or written to it."""
        try:
            with one_line_errors():
                if done.scored is not None:
                    return kept(done.scored, self.options.out)
                assert done.path is not None
                until = time.monotonic() + PATIENCE
                while not done.path.exists() and time.monotonic() < until:
                    time.sleep(0.1)
                return Scored(store.load(done.path), None, done.is_new, done.seconds, done.told)
        except GeneBenchError as error:
            return Failure(plan.tasks[cell.task].record.id, plan.models.scored[cell.model].name, str(error))

    def _jobs(
        self, plan: Plan, cells: Sequence[Cell], places: list[tuple[Any, int]]
    ) -> tuple[list[Job], list[Any], list[tuple[Cell, Failure]]]:
        """Cells as a worker takes them, their inputs, and those for which the client was to make vectors in vain."""
        options = self.options
        jobs, failures, inputs = list[Job](), list[tuple[Cell, Failure]](), dict[int, Any]()

        def place(value: Any) -> int:
            inputs[id(value)] = value
            return list(inputs).index(id(value))

        for cell in cells:
            task = plan.tasks[cell.task]
            if _is_gone(places[cell.task][0]):
                places[cell.task] = self._place(task)
            tasks, at = places[cell.task]
            needed = wants(plan.models, cell.model, task, plan.fits[cell.fit], common=options.common_genes)
            made = {want: self._vectors(plan, want, places[cell.task]) for want in needed}
            if failed := [each for each in made.values() if isinstance(each, Failure)]:
                failures.append((cell, self._failed(plan, cell, failed[0].reason)))
                continue
            found: Found | None = None
            if options.out is not None and not self.is_shared and not options.overwrite:
                found = found_at(plan.path(cell, options.out, options), with_predictions=bool(options.predictions))
            vectors = tuple((want, place(each)) for want, each in made.items())
            jobs.append(Job(cell, found, place(tasks), at, vectors))
        return jobs, list(inputs.values()), failures

    def _start(self, jobs: Sequence[Job], inputs: Sequence[Any], waiting: Batches) -> Any:
        """Submit a step, to the workers whose turn its model is; others take it where they have nothing to do."""
        cells = [job.cell for job in jobs]
        self._tries.update(cells)
        self._steps += 1
        chosen = self.workers.chosen(*waiting.group(cells[0].model))
        future = self.client.submit(
            fit_all,
            self._fit,
            self.name,
            [tuple(job) for job in jobs],
            *inputs,
            key=f"fit-{self.name}-{self._steps}",
            pure=False,
            retries=TRIES - 1,
            **self._resources("cpu"),
            **({"workers": chosen, "allow_other_workers": True} if chosen else {}),
        )
        self._flight[future.key] = (cells, future)
        return future

    def _vectors(self, plan: Plan, want: Want, place: tuple[Any, int]) -> Any:
        """What stands for vectors, made once: a future of a worker, what the client put away, or a failure."""
        if want in self._made:
            return self._made[want]
        everything = all_models(plan.models)
        of_model = everything[want.owner]
        is_of_task = want.kind == "sequences"
        if not travels(of_model.model):
            self._made[want] = self._made_here(of_model, want, place if is_of_task else None)
            return self._made[want]
        first: list[Any] = []
        for each in needed_first(everything, want, workers=self.workers.that_take("gpu")):
            made = self._vectors(plan, each, place)
            if isinstance(made, Failure):
                return made
            first += [each, made]
        self._tries[want] += 1
        key = f"embed-{self.name}-{want.owner}-{want.kind}-{want.name.replace(' ', '-')}-{self._tries[want]}"
        tasks, at = place if is_of_task else (None, 0)
        self._made[want] = self._submit("gpu", key, self._embed, self.name, tuple(want), tasks, at, *first)
        return self._made[want]

    def _made_here(self, of_model: Any, want: Want, place: tuple[Any, int] | None) -> Any:
        """Vectors of a file, or of an object of this program, which stay with the client until they are vectors."""
        try:
            with one_line_errors():
                task = None
                if place is not None:
                    tasks = place[0] if isinstance(place[0], list) else place[0].result()
                    task = read(tasks[place[1]].arrays)
                stored = put(make(of_model, want, task, {}), self.shared)
        except GeneBenchError as error:
            return Failure("", of_model.name, str(error))
        return stored if self.shared is not None else self._sent(stored)

    def _sent(self, value: Any) -> Any:
        """Send a worker something; where there is none, wait for one, as steps do."""
        for is_direct in cycle((True, False)):
            try:
                return self.client.scatter([value], direct=is_direct, hash=False)[0]
            except OSError as error:
                # The workers cannot be reached from here, or there are none.
                if not is_direct and self.workers.is_lost():
                    raise self._lost() from error
        raise AssertionError

    def _place(self, task: TaskArrays | StoredTask) -> tuple[Any, int]:
        """Where workers find a task."""
        if id(task) in self._where:
            return self._where[id(task)]
        stored = stored_task(task, self.shared) if isinstance(task, TaskArrays) else task
        return ([stored] if self.shared is not None else self._sent([stored])), 0

    def _submit(self, kind: str, key: str, step: Callable[..., Any], *arguments: Any) -> Any:
        return self.client.submit(step, *arguments, key=key, pure=False, retries=TRIES - 1, **self._resources(kind))

    def _resources(self, kind: str) -> dict[str, Any]:
        needed = self.workers.needed(kind)
        return {"resources": needed} if needed else {}

    def _lost(self) -> SchedulerLostError:
        message = (
            "the scheduler is gone or was started again; what was finished is saved, and the same command goes on"
            " from there"
        )
        return SchedulerLostError(message)


def _is_gone(made: Any) -> bool:
    """Whether a future's step died, or the workers that it was sent to are gone."""
    return getattr(made, "status", "") in ("error", "cancelled", "lost")


def _why_killed(error: KilledWorker) -> str:
    return (
        f"its worker died {TRIES * (error.allowed_failures + 1)} times (last {error.last_worker.address}); most likely"
        " the memory of a worker is too small for it: see the worker's log"
    )
