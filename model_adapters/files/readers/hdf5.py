"""Reads AnnData's files (.h5ad) in a process of its own, because a damaged file may crash or block it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.errors import VectorsError
from model_adapters.files.layout import Ask, Rows, rows_of_array

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CONTENT = "model_adapters.files.readers.hdf5_content"
SECONDS = 10
"""For a file of any size, once h5py is loaded."""
BYTES_A_SECOND = 2 * 1024**2
"""Of a slow network, besides."""


def read_h5ad(path: Path, ask: Ask) -> Rows:
    """Read one array of an AnnData file: `varm/NAME` (its rows are variables), `obsm/NAME` (observations) or `X`.

    Only that array and the names of its rows are read, from the layout that anndata 0.7 and later write. The names are
    the index and those columns of `var` or `obs` whose names are those of gene columns; of `X`, they are the rows or
    the columns, whichever are genes.

    Raises:
        VectorsError: h5py is not installed, or there is no such array, or it is not a dense one of two dimensions; or
            the file is so damaged that the HDF5 library crashes or does not return.
    """
    if find_spec("h5py") is None:
        message = f"{path.name}: h5ad files are read with h5py, which is not installed; pip install 'gene-bench[h5ad]'"
        raise VectorsError(message)
    names, array = _received(path, ask)
    if len(names) == 1:
        return rows_of_array(next(iter(names.values())), array, ask)
    return _rows_of_x(names, array, ask)


def _received(path: Path, ask: Ask) -> tuple[dict[str, dict[str, list[Any]]], NDArray[np.float32]]:
    """Return group -> column -> names, and the (n, d) array, from a process that reads them."""
    seconds = SECONDS + path.stat().st_size // BYTES_A_SECOND
    asked = json.dumps([str(path.absolute()), ask.where, ask.key, ask.id, seconds])
    process = subprocess.Popen(
        [sys.executable, "-m", CONTENT, asked],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process, process.stdout:  # type: ignore[union-attr]  # it is a pipe
        pipe: Any = process.stdout
        facts = json.loads(pipe.readline() or b"{}")
        array = np.empty(facts.get("shape", (0, 0)), dtype=np.float32)
        view = memoryview(array.reshape(-1).data).cast("B")
        got = 0
        while got < len(view) and (count := pipe.readinto(view[got:])):
            got += count
    if "refused" in facts:
        raise VectorsError(facts["refused"])
    if process.returncode or not facts:
        late = process.returncode == -signal.SIGALRM
        what = f"was not read in {seconds} s" if late else "crashes the HDF5 library"
        message = f"{ask.where} {what}: it is damaged; write it again"
        raise VectorsError(message)
    return facts["names"], array


def _rows_of_x(names: dict[str, dict[str, list[Any]]], array: NDArray[Any], ask: Ask) -> Rows:
    """Take the columns of X as genes, as is AnnData's custom, unless more of its rows are known genes."""
    found = []
    for group, oriented in (("var", array.T), ("obs", array)):
        try:
            found.append(rows_of_array(names[group], oriented, ask))
        except VectorsError as error:
            first = error
    if not found:
        raise first
    rows = max(found, key=lambda each: each.identified[0].share)
    rows.reading.notes.append(f"one vector for each {'row' if rows.vectors is array else 'column'} of X")
    return rows
