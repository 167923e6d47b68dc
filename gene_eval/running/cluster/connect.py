"""From what a user says of a cluster to a Dask client: an address, a scheduler's file, or a file of ours."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from distributed import Client

from gene_eval.errors import ClusterError
from gene_eval.running.cluster.queues import read_cluster

__all__ = ["connected"]

TIMEOUT = 30
"""Seconds that a scheduler has to answer."""


@contextmanager
def connected(
    *, scheduler: str | None = None, scheduler_file: Path | None = None, cluster: Path | None = None
) -> Iterator[Any]:
    """Give a client of the one cluster that is named; what was started for it ends with the block.

    Args:
        scheduler: Address, such as "tcp://node1:8786".
        scheduler_file: What `dask scheduler --scheduler-file FILE` wrote.
        cluster: A file that says which workers to start, see docs/cluster.md.

    Raises:
        ClusterError: None or several are named, a file does not read, or the scheduler does not answer.
    """
    given = [each for each in (scheduler, scheduler_file, cluster) if each is not None]
    if len(given) != 1:
        message = "several clusters were named; give one of --scheduler, --scheduler-file and --cluster"
        raise ClusterError(message)
    if scheduler_file is not None and not scheduler_file.is_file():
        message = f"no file {scheduler_file}; make it with: dask scheduler --scheduler-file {scheduler_file}"
        raise ClusterError(message)
    with ExitStack() as stack:
        try:
            if cluster is not None:
                where: dict[str, Any] = {"address": stack.enter_context(read_cluster(cluster))}
            elif scheduler_file is not None:
                where = {"scheduler_file": str(scheduler_file)}
            else:
                where = {"address": scheduler}
            client = Client(**where, timeout=TIMEOUT)  # type: ignore[no-untyped-call]
        # What Dask and a queue raise for an address, a file or a command that is wrong: OSError, ValueError, KeyError.
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            if isinstance(error, ClusterError):
                raise
            message = f"no scheduler at {given[0]}: {' '.join(str(error).split())}; start one with: dask scheduler"
            raise ClusterError(message) from error
        yield stack.enter_context(client)
