"""The index of a large folder is a copy: whatever becomes of it, results are those of the files."""

import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gene_eval.analysis.tables import build
from gene_eval.reporting.text import RENDERERS
from gene_eval.results import index
from gene_eval.results.index import index_path
from gene_eval.results.reading import result_files
from gene_eval.results.store import Folder, load, load_folder

Read = Callable[[], Folder]


@pytest.fixture
def folder(repo: Path, tmp_path: Path) -> Path:
    """Results of two models on four tasks: binary, multi-class, multi-label, and numbers."""
    shutil.copytree(repo / "tests" / "data" / "results" / "schema1", tmp_path / "results")
    for path in (tmp_path / "results").glob("*/*.json"):
        # Long ago: what was written just now is read again, see `SETTLED_NS`.
        os.utime(path, ns=(10**18, 10**18))
    return tmp_path / "results"


@pytest.fixture
def read(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read the folder by its index, which lies below `tmp_path`."""
    monkeypatch.setattr("huggingface_hub.constants.HF_ASSETS_CACHE", str(tmp_path / "assets"))
    monkeypatch.setattr(index, "FEWEST", 1)
    monkeypatch.setattr(index, "SETTLED_NS", 0)
    # Times of change cannot be set; the index has to be written after them.
    time.sleep(0.01)
    return lambda: load_folder(folder)


def test_results_are_those_of_the_files(folder: Path, read: Read) -> None:
    first, again = read(), read()
    files = {(one.model.id, one.task.id): one for one in (load(file.path) for file in result_files(folder))}
    assert index_path(folder).is_file()
    assert len(again.results) == len(files) > 4
    for result in (*first.results, *again.results):
        direct = files[result.model.id, result.task.id]
        assert result.to_json() == direct.to_json()
        assert result.scores == direct.scores
        assert direct.labels == result.labels


def test_reports_are_the_same_bytes(folder: Path, read: Read) -> None:
    read()
    by_index = build(read().results)
    directly = build([load(file.path) for file in result_files(folder)])
    for name, render in RENDERERS.items():
        assert render(by_index) == render(directly), name


def test_no_file_is_read_twice(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    read()

    def refuse(path: Path) -> None:
        pytest.fail(f"{path} was read again")

    for name in ("load", "read"):
        monkeypatch.setattr(index, name, refuse)
    assert len(read().results) > 4


@pytest.mark.parametrize("keeps_its_times", [False, True])
def test_a_changed_file_counts_though_its_size_is_the_same(folder: Path, read: Read, *, keeps_its_times: bool) -> None:
    read()
    path = next(iter(sorted(folder.glob("*/starter_is_tf.json"))))
    path.write_text(path.read_text().replace('"created_at": "20', '"created_at": "19'))
    if keeps_its_times:
        os.utime(path, ns=(10**18, 10**18))
    (changed,) = (one for one in read().results if one.created_at.startswith("19"))
    assert changed == load(path)


def test_new_files_count_and_those_that_went_do_not(folder: Path, read: Read) -> None:
    before = read()
    gone = folder / "bag-of-words" / "starter_is_tf.json"
    content = gone.read_text()
    gone.unlink()
    assert len(read().results) == len(before.results) - 1
    gone.write_text(content)
    assert [one.to_json() for one in read().results] == [one.to_json() for one in before.results]


def test_a_file_that_is_no_result_is_a_problem_each_time(folder: Path, read: Read) -> None:
    broken = folder / "bag-of-words" / "broken.json"
    broken.write_text("{")
    expected = [f"cannot read result {broken}: not valid JSON"] * 3
    assert [read().problems[0][: len(expected[0])] for _ in range(3)] == expected
    at = index_path(folder).stat().st_mtime_ns
    read()
    assert index_path(folder).stat().st_mtime_ns == at


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(200, len(content) - 5000, 997):
        content[place] ^= 0xFF
    path.write_bytes(bytes(content))


def _a_page(path: Path) -> None:
    # The last bytes of the last column's numbers: the rest of the table is as it was.
    rows = pq.read_metadata(path).row_group(0)
    column = rows.column(rows.num_columns - 1)
    content = bytearray(path.read_bytes())
    content[(column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size - 9] ^= 0xFF
    path.write_bytes(bytes(content))


def _other_format(path: Path) -> None:
    path.write_text("{}")


def _other_version(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({index.METADATA: b"[0]"}), path)


@pytest.mark.parametrize("damage", [_truncated, _flipped, _a_page, _other_format, _other_version])
def test_a_damaged_index_is_made_anew(folder: Path, read: Read, damage: Callable[[Path], None]) -> None:
    before = [one.to_json() for one in read().results]
    path = index_path(folder)
    size = path.stat().st_size
    damage(path)
    found = read()
    assert ([one.to_json() for one in found.results], found.problems) == (before, ())
    assert abs(path.stat().st_size - size) < 100
    assert len(pq.ParquetFile(path, page_checksum_verification=True).read()) == len(before)


def test_where_no_index_can_be_written_files_are_read(
    folder: Path, read: Read, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "assets").write_text("no folder")
    assert len(read().results) == len(list(folder.glob("*/*.json")))
    assert f"warning: no index of {folder} can be kept" in capsys.readouterr().err


def test_a_file_whose_name_is_no_text_is_read_each_time(folder: Path, read: Read) -> None:
    before = read()
    given = folder / "bag-of-words" / "starter_is_tf.json"
    try:
        given.rename(folder / "bag-of-words" / "starter\udcff.json")
    except OSError:
        pytest.skip("names are text here")
    assert [[one.to_json() for one in read().results] for _ in range(2)] == [
        [one.to_json() for one in before.results]
    ] * 2
    assert index_path(folder).is_file()


def test_what_another_process_wrote_meanwhile_is_not_believed_for_the_files_of_this_one(
    folder: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    path = folder / "bag-of-words" / "starter_is_tf.json"
    extra = folder / "bag-of-words" / "extra.json"
    extra.write_text("{")
    write = index._write

    def late(at: Path, *rest: Any) -> None:
        monkeypatch.setattr(index, "_write", write)
        path.write_text(path.read_text().replace('"created_at": "20', '"created_at": "19'))
        read()
        write(at, *rest)

    monkeypatch.setattr(index, "_write", late)
    read()
    assert [one for one in read().results if one.created_at.startswith("19")] == [load(path)]


def test_two_processes_at_once_read_what_the_files_say(folder: Path, read: Read) -> None:
    expected = [one.to_json() for one in load_folder(folder).results]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            index_path(folder).unlink(missing_ok=True)
            found = list(pool.map(lambda _: read(), range(8)))
            assert all([one.to_json() for one in each.results] == expected for each in found)
            assert not any(each.problems for each in found)
