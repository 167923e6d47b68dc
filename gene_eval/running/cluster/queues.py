"""A file that says which workers to start: processes of this machine, or jobs of a queue by dask-jobqueue."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gene_eval.errors import ClusterError
from gene_eval.text import did_you_mean

__all__ = ["QUEUES", "job_scripts", "read_cluster"]

QUEUES = {"slurm": "SLURMCluster", "lsf": "LSFCluster", "pbs": "PBSCluster", "sge": "SGECluster"}
"""Key of the file -> class of dask-jobqueue."""
LOCAL = "local"
OURS = ("jobs", "minimum", "maximum", "resources", "gpu")
"""What we read of a queue; everything else is handed to dask-jobqueue."""


def read_cluster(path: Path) -> Any:
    """Start the cluster that a file describes.

    Args:
        path: YAML with one key: `local` (`workers`, `threads`, `memory`), or `slurm`, `lsf`, `pbs` or `sge` with the
            arguments of dask-jobqueue, `jobs` (or `minimum` and `maximum`) and `resources`; `gpu` has what is
            different for the jobs that embed.

    Returns:
        A cluster of Dask, to be closed by the caller.

    Raises:
        ClusterError: The file does not say so.
    """
    kind, settings = _read(path)
    if kind == LOCAL:
        return _local(path, settings)
    jobs, extra, arguments, gpu = _split(path, settings)
    cluster = _queue(path, kind, arguments)
    if gpu is not None:
        ((_, made),) = cluster.new_worker_spec().items()
        settings = {**made["options"], **gpu[1]}
        names = [f"-{number}" for number in range(settings.get("processes", 1))]
        job = {"cls": made["cls"], "options": settings, **({"group": names} if len(names) > 1 else {})}
        cluster.worker_spec.update({f"{cluster.name}-gpu-{number}": job for number in range(gpu[0])})
    if "maximum" in extra:
        cluster.adapt(minimum_jobs=extra.get("minimum", 0), maximum_jobs=extra["maximum"])
    else:
        cluster.scale(jobs=jobs + (gpu[0] if gpu is not None else 0))
    return cluster


def job_scripts(path: Path) -> list[str]:
    """What is submitted to the queue: the script of the jobs, and that of the jobs that embed.

    Raises:
        ClusterError: The file does not describe a queue.
    """
    kind, settings = _read(path)
    if kind == LOCAL:
        message = f"{path} starts processes of this machine; a queue is one of {', '.join(QUEUES)}"
        raise ClusterError(message)
    _, _, arguments, gpu = _split(path, settings)
    found = []
    for each in [arguments, *([] if gpu is None else [{**arguments, **gpu[1]}])]:
        with _queue(path, kind, each) as cluster:
            found.append(str(cluster.job_script()))
    return found


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        message = f"cannot read {path}: {reason}; expected YAML such as: local: {{workers: 4}}"
        raise ClusterError(message) from error
    known = [LOCAL, *QUEUES]
    if not isinstance(content, Mapping) or len(content) != 1:
        message = f"{path} has {type(content).__name__} {content!r}; expected one key of {', '.join(known)}"
        raise ClusterError(message)
    ((kind, settings),) = content.items()
    if kind not in known:
        message = f"{path} has a cluster {kind!r}; {did_you_mean(str(kind), known)}"
        raise ClusterError(message)
    if not isinstance(settings, Mapping):
        message = f"{path}: {kind} is {settings!r}, expected its settings, such as workers: 4"
        raise ClusterError(message)
    return str(kind), dict(settings)


def _local(path: Path, settings: Mapping[str, Any]) -> Any:
    from distributed import LocalCluster

    known = ("workers", "threads", "memory", "resources")
    for name in settings:
        if name not in known:
            message = f"{path}: local has {name!r}; {did_you_mean(str(name), known)}"
            raise ClusterError(message)
    workers, threads = settings.get("workers"), settings.get("threads", 1)
    for name, n in (("workers", workers), ("threads", threads)):
        if type(n) is not int or n < 1:
            message = f"{path}: {name} is {n!r}, expected a whole number, 1 or above"
            raise ClusterError(message)
    return LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers,
        threads_per_worker=threads,
        memory_limit=settings.get("memory", "auto"),
        resources=settings.get("resources"),
        dashboard_address=":0",
    )


def _split(path: Path, settings: Mapping[str, Any]) -> tuple[int, dict[str, int], dict[str, Any], Any]:
    """Number of jobs, bounds of it, arguments of dask-jobqueue, and number and arguments of jobs that embed."""
    for name in ("jobs", "minimum", "maximum"):
        if name in settings and (type(settings[name]) is not int or settings[name] < 0):
            message = f"{path}: {name} is {settings[name]!r}, expected a whole number, 0 or above"
            raise ClusterError(message)
    if "jobs" not in settings and "maximum" not in settings:
        message = f"{path} does not say how many jobs to start; add jobs: N, or maximum: N"
        raise ClusterError(message)
    bounds = {name: settings[name] for name in ("minimum", "maximum") if name in settings}
    arguments = _arguments(settings)
    own = settings.get("gpu")
    if own is None:
        return settings.get("jobs", 0), bounds, arguments, None
    if not isinstance(own, Mapping) or "maximum" in settings:
        message = f"{path}: gpu is {own!r}, expected its settings (jobs: N, ...) beside a fixed number of jobs"
        raise ClusterError(message)
    return settings["jobs"], bounds, arguments, (int(own.get("jobs", 1)), _arguments(own))


def _arguments(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of dask-jobqueue; what workers announce is an argument of the command that starts them."""
    arguments = {name: value for name, value in settings.items() if name not in OURS}
    if resources := settings.get("resources"):
        announced = " ".join(f"{name}={n}" for name, n in resources.items())
        extra = [*arguments.get("worker_extra_args", ()), "--resources", f'"{announced}"']
        arguments["worker_extra_args"] = extra
    return arguments


def _with_free_port(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """With a page at any free port, unless the file names one: another user of the machine may have the usual one."""
    return {"scheduler_options": {"dashboard_address": ":0"}, **arguments}


def _queue(path: Path, kind: str, arguments: Mapping[str, Any]) -> Any:
    try:
        import dask_jobqueue
    except ImportError as error:
        message = f"{path} names a queue, which needs dask-jobqueue; install it: pip install 'gene-bench[distributed]'"
        raise ClusterError(message) from error
    try:
        return getattr(dask_jobqueue, QUEUES[kind])(**_with_free_port(arguments))
    # Cores or memory are missing, or an argument does not exist.
    except (ValueError, TypeError) as error:
        message = f"{path}: {' '.join(str(error).split())}"
        raise ClusterError(message) from error
