"""A copy of the result files of a large folder in one table, so that a file is read once and not by every report.

It lies in the cache of whoever reads (`HF_HOME`), not in the folder, which may be read-only or somebody else's, and is
never the truth: a row counts for a file of the same size and times, or of the same bytes. What is not in it is read
from the file; what is there no longer is dropped; a table that is damaged, or of another version, is made anew.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gene_eval.errors import FileError, ResultError
from gene_eval.files import atomic_path
from gene_eval.results.packed import RECORDS, SHARED, TEXTS, columns_of, results_of
from gene_eval.results.reading import ResultFile, load, read
from gene_eval.results.records import TaskResult
from gene_eval.results.schema import SCHEMA_VERSION
from gene_eval.text import say

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["FEWEST", "index_path", "indexed"]

FEWEST: Final = 1_000
"""Files from which on a folder has an index; fewer are read in a second or two."""
LAYOUT: Final = 1
"""Of the table; also raised when files are refused, or read, by other rules than before."""
METADATA: Final = b"gene_bench_index"
BATCH: Final = 4_096
SLOW: Final = 10_000
# A file written this shortly before it was read may be written again within one tick of its file system's clock.
SETTLED_NS: Final = 2_000_000_000
FACTS: Final = ("name", "size", "mtime_ns", "ctime_ns", "settled", "sha256", "is_result")


class _Known(NamedTuple):
    """What the index says of a file: `settled` if its size and times are enough to know it by."""

    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    settled: bool
    sha256: str
    is_result: bool


def index_path(root: Path) -> Path:
    """Where the index of a results folder lies."""
    from huggingface_hub import constants

    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return Path(constants.HF_ASSETS_CACHE, "gene-bench", "result-indexes", f"{name}.parquet")


def indexed(root: Path, files: Sequence[ResultFile]) -> Iterator[tuple[Path, TaskResult | ResultError]]:
    """Path and result of each file, or why it is none, in the order of `files`; the index is brought up to date.

    Args:
        root: Results folder.
        files: What lies in it.
    """
    rows: dict[str, TaskResult] = {}
    named = [file for file in files if _is_text(_name(file))]
    try:
        path = index_path(root)
        if (found := _rows(path, named)) is None:
            path.unlink(missing_ok=True)
            found = _rows(path, named)
        rows = found or {}
    except (OSError, FileError) as error:
        say(f"warning: no index of {root} can be kept, every file is read each time: {error}")
    for file in files:
        result: TaskResult | ResultError | None = rows.pop(_name(file), None)
        if result is None:
            try:
                result = load(file.path)
            except ResultError as error:
                result = error
        yield file.path, result


def _name(file: ResultFile) -> str:
    return "/".join(file.name)


def _is_text(name: str) -> bool:
    """Whether a table can hold it: a file's name is bytes, which may be no text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _rows(path: Path, files: Sequence[ResultFile]) -> dict[str, TaskResult] | None:
    """Results by name, of an index that was brought up to date; None if it is damaged."""
    try:
        known = _known(path)
        current, changed = {}, []
        for file in files:
            if (same := _current(file, known.get(_name(file)))) is not None:
                current[same.name] = same
            else:
                changed.append(file)
        if changed or current != known:
            _write(path, current, changed)
        found: dict[str, TaskResult] = {}
        made: dict[tuple[str, str], Any] = {}
        for rows in _groups(_open(path)):
            kept = rows.filter(rows["is_result"])
            facts = zip(kept["name"].to_pylist(), kept["sha256"].to_pylist(), strict=True)
            for (name, sha256), result in zip(facts, results_of(kept, made), strict=True):
                # Another process may have written the index since, when the files were others.
                if name not in current or current[name].sha256 == sha256:
                    found[name] = result
        return found
    except (ValueError, KeyError, TypeError, ResultError, _Damaged):
        return None


class _Damaged(Exception):
    """The index cannot be read."""


@contextmanager
def _opened() -> Iterator[None]:
    """For pyarrow a damaged file is an OSError, as a full disk is: here the index is read, and nothing else."""
    try:
        yield
    except OSError as error:
        raise _Damaged from error


def _current(file: ResultFile, known: _Known | None) -> _Known | None:
    """What is known of a file if that still holds, with its times of now."""
    if known is None or file.status is None or known.size != file.status.st_size:
        return None
    times = (file.status.st_mtime_ns, file.status.st_ctime_ns)
    if known.settled and (known.mtime_ns, known.ctime_ns) == times:
        return known
    settled = _is_settled(file)
    if hashlib.sha256(file.path.read_bytes()).hexdigest() != known.sha256:
        return None
    return known._replace(mtime_ns=times[0], ctime_ns=times[1], settled=settled)


def _is_settled(file: ResultFile) -> bool:
    """To be asked before the file is read."""
    status = file.status
    return status is not None and max(status.st_mtime_ns, status.st_ctime_ns) < time.time_ns() - SETTLED_NS


def _known(path: Path) -> dict[str, _Known]:
    table = _open(path)
    if table is None:
        return {}
    with _opened():
        columns = table.read(columns=list(FACTS)).to_pydict()
    return {row[0]: _Known._make(row) for row in zip(*(columns[name] for name in FACTS), strict=True)}


def _open(path: Path) -> "pq.ParquetFile | None":
    """The index if it is there and of this version."""
    import pyarrow.parquet as pq

    if not path.is_file():
        return None
    with _opened():
        table = pq.ParquetFile(path, read_dictionary=list(SHARED), page_checksum_verification=True)
    return table if (table.schema_arrow.metadata or {}).get(METADATA) == _version() else None


def _version() -> bytes:
    known = [each.name for kind in (TaskResult, *RECORDS.values()) for each in fields(kind)]
    return json.dumps([LAYOUT, SCHEMA_VERSION, known]).encode()


def _schema() -> "pa.Schema":
    import pyarrow as pa

    facts = {"name": pa.string(), "size": pa.int64(), "mtime_ns": pa.int64(), "ctime_ns": pa.int64()}
    facts |= {"settled": pa.bool_(), "sha256": pa.string(), "is_result": pa.bool_()}
    texts = dict.fromkeys((*SHARED, *TEXTS), pa.string())
    numbers = {"numbers": pa.list_(pa.float64())}
    return pa.schema(facts | texts | numbers, metadata={METADATA: _version()})


def _write(path: Path, current: Mapping[str, _Known], changed: Sequence[ResultFile]) -> None:
    """Replace the index by one of the rows that still hold and of the files that changed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if len(changed) > SLOW:
        say(f"reading {len(changed):,} result files that are new or changed; the next time they are not read again")
    schema, old = _schema(), _open(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        atomic_path(path) as part,
        pq.ParquetWriter(part, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for rows in _groups(old):
            # Of another process, which has written the index since, rows may be of other files than `current`.
            known = [current.get(name) for name in rows["name"].to_pylist()]
            is_kept = [
                each is not None and each.sha256 == sha256
                for each, sha256 in zip(known, rows["sha256"].to_pylist(), strict=True)
            ]
            rows = rows.filter(pa.array(is_kept, pa.bool_()))
            facts = [each for each, kept in zip(known, is_kept, strict=True) if each is not None and kept]
            for name in FACTS:
                at = rows.column_names.index(name)
                rows = rows.set_column(
                    at, name, pa.array([getattr(each, name) for each in facts], schema.field(name).type)
                )
            writer.write_table(rows.cast(schema))
        for start in range(0, len(changed), BATCH):
            writer.write_table(pa.table(_columns(changed[start : start + BATCH]), schema))


def _groups(table: "pq.ParquetFile | None") -> "Iterator[pa.Table]":
    if table is not None:
        for group in range(table.num_row_groups):
            with _opened():
                rows = table.read_row_group(group)
            yield rows


def _columns(files: Sequence[ResultFile]) -> dict[str, list[Any]]:
    """Columns of files that are read now; of a file that is no result, its facts only."""
    facts: list[_Known] = []
    results: list[TaskResult | None] = []
    for file in files:
        settled, sha256 = _is_settled(file), ""
        try:
            result, content = read(file.path)
            results.append(result)
            sha256 = hashlib.sha256(content).hexdigest()
        except ResultError:
            results.append(None)
        status = file.status
        size, mtime_ns, ctime_ns = (status.st_size, status.st_mtime_ns, status.st_ctime_ns) if status else (-1, 0, 0)
        facts.append(_Known(_name(file), size, mtime_ns, ctime_ns, settled, sha256, results[-1] is not None))
    packed = columns_of([result for result in results if result is not None])
    columns = {name: iter(values) for name, values in packed.items()}
    found = {
        name: [next(values) if result is not None else None for result in results] for name, values in columns.items()
    }
    return {name: [getattr(each, name) for each in facts] for name in FACTS} | found
