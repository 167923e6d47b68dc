"""Entries of the cache: verified when read, built by one process at a time, readable without a lock."""

import errno
import json
import os
import shutil
import subprocess
import sys

import datasets
import pandas as pd
import pytest

from builders import BuilderError, RawFile, RawFiles, Source, TaskConfig, cache, catalog, load
from builders.base import GeneTaskBuilder
from builders.errors import CacheError

N = 40


class CachedBuilder(GeneTaskBuilder):
    SOURCE = Source(name="kept", title="Kept", files={"t": RawFile(names=("t.tsv",), url=None)})
    BUILDER_CONFIGS = [TaskConfig("kept_score", target="regression")]
    PACKAGED = True
    builds = 0

    def locate(self, origin, key):
        return self.raw.path(origin, key)

    def rows(self, config):
        type(self).builds += 1
        table = self.read("t", ("symbol", "score"))
        self.audit.notes.append("read")
        return pd.DataFrame({"symbol": table["symbol"], "label": table["score"].astype(float)})


@pytest.fixture
def built(data_dir, write_raw, tmp_path, monkeypatch):
    """Makes or reads the task; `built.root` is the cache."""
    write_raw("kept/t.tsv", "symbol\tscore\n" + "".join(f"G{i}\t{i}\n" for i in range(N)))
    monkeypatch.setattr(catalog, "BUILDERS", (CachedBuilder,))
    monkeypatch.setattr(CachedBuilder, "builds", 0)

    def make():
        return load("kept_score", RawFiles(data_dir), cache_dir=tmp_path / "cache")

    make.root = tmp_path / "cache"
    return make


def entry(built):
    (folder,) = (built.root / "gene-bench/kept_score/1.1.0").iterdir()
    return folder


FILES = ("gene-bench-train.arrow", "dataset_info.json", "audit.json", "manifest.json")


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "empty": lambda path: path.write_bytes(b""),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "bit flip": flip,
    "gone": lambda path: path.unlink(),
    "not UTF-8": lambda path: path.write_bytes(b"\xff\xfe" * 50),
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_set_aside_and_built_again(built, caplog, file, damage):
    expected = built().dataset.to_dict()
    folder = entry(built)
    times = folder.stat(), (folder / file).stat()
    DAMAGES[damage](folder / file)
    if damage in ("zeroed", "bit flip"):
        # The content counts, not the times.
        os.utime(folder / file, ns=(times[1].st_atime_ns, times[1].st_mtime_ns))
        os.utime(folder, ns=(times[0].st_atime_ns, times[0].st_mtime_ns))
    caplog.clear()
    again = built()
    assert again.dataset.to_dict() == expected
    assert (again.built, again.audit.n, CachedBuilder.builds) == (True, N, 2)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "builders.cache"]
    assert line.startswith(f"{folder} is damaged (")
    assert "\n" not in line
    assert [path.name for path in (built.root / "gene-bench/.damaged").iterdir()] == [f"kept_score-1.1.0-{folder.name}"]
    assert built().built is False


def test_a_damaged_entry_is_set_aside_where_there_are_no_raw_files(built, monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(CachedBuilder, "PACKAGED", False)
    monkeypatch.setattr(CachedBuilder, "inputs", lambda self, config: [(self.SOURCE, "t")])
    monkeypatch.setattr(CachedBuilder, "resolutions", lambda self, rows: {})
    expected = built().dataset.to_dict()
    assert load("kept_score", RawFiles(), cache_dir=built.root).dataset.to_dict() == expected
    flip(entry(built) / FILES[0])
    with pytest.raises(BuilderError, match=r"Kept: t\.tsv cannot be downloaded by itself"):
        load("kept_score", RawFiles(), cache_dir=built.root)
    assert "is damaged" in caplog.text
    assert catalog.cached("kept_score", cache_dir=built.root) is None


def test_entries_of_other_rules_do_not_count(built, monkeypatch):
    built()
    assert catalog.cached("kept_score", cache_dir=built.root) is not None
    monkeypatch.setattr(CachedBuilder, "RULES_VERSION", 2)
    assert catalog.cached("kept_score", cache_dir=built.root) is None
    assert built().built is True


def test_the_dataset_is_known_by_its_content(built):
    first, second = built().dataset, built().dataset
    assert first._fingerprint == second._fingerprint
    shutil.rmtree(entry(built))
    assert built().dataset._fingerprint == first._fingerprint


SCRIPT = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import datasets
datasets.disable_progress_bars()
import test_module
from builders import RawFiles, catalog, load
catalog.BUILDERS = (test_module.CachedBuilder,)
slow = test_module.CachedBuilder.rows
def rows(self, config):
    time.sleep(0.5)
    return slow(self, config)
test_module.CachedBuilder.rows = rows
made = load("kept_score", RawFiles(sys.argv[3]), cache_dir=sys.argv[1])
print(made.built, made.audit.rows_read, made.audit.notes, len(made.dataset))
"""


def test_one_of_several_processes_builds_and_all_have_its_audit(built, data_dir, tmp_path):
    shutil.copy(__file__, tmp_path / "test_module.py")
    command = [sys.executable, "-c", SCRIPT, str(built.root), str(tmp_path), str(data_dir)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    done = [process.communicate() for process in processes]
    assert [err for _, err in done] == [""] * 3
    lines = sorted(out.strip() for out, _ in done)
    assert lines == [f"False {N} ['read'] {N}"] * 2 + [f"True {N} ['read'] {N}"]


def test_a_sweep_leaves_what_a_live_build_has(built):
    from datasets.utils._filelock import FileLock

    building = built.root / "gene-bench/.building"
    for name in ("live", "killed"):
        (building / name / "part").mkdir(parents=True)
    with FileLock(building / "live.lock"):
        built()
    assert {path.name for path in building.iterdir() if path.is_dir()} == {"live"}


def test_load_dataset_does_not_see_what_is_being_built_or_damaged(built, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    built()
    for folder in (".building/kept_score-1.1.0-0/gene-bench/kept_score", ".damaged/kept_score-1.1.0-0/x"):
        (built.root / "gene-bench" / folder).mkdir(parents=True)
    loaded = datasets.load_dataset("gene-bench", "kept_score", cache_dir=str(built.root))["train"]
    assert loaded.to_dict() == built().dataset.to_dict()


@pytest.fixture
def no_locks(monkeypatch):
    import fcntl

    def flock(descriptor, operation):
        raise OSError(no_locks_errno[0], os.strerror(no_locks_errno[0]))

    no_locks_errno = [errno.ENOLCK]
    monkeypatch.setattr(fcntl, "flock", flock)
    return lambda number: no_locks_errno.__setitem__(0, number)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_a_file_system_without_locks(built, no_locks, number):
    no_locks(number)
    message = (
        rf"^{built.root}: the datasets cache cannot be written \({os.strerror(number)}\); set HF_HOME or HF_DATASETS"
    )
    with pytest.raises(CacheError, match=message):
        built()


def test_a_complete_cache_is_read_without_locks(built, request):
    expected = built().dataset.to_dict()
    request.getfixturevalue("no_locks")
    found = built()
    assert (found.built, found.dataset.to_dict() == expected) == (False, True)


def read_only(folder, *, writable=False):
    for path in (folder, *folder.rglob("*")):
        path.chmod((0o755 if path.is_dir() else 0o644) if writable else (0o555 if path.is_dir() else 0o444))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_complete_cache_may_be_read_only(built):
    expected = built().dataset.to_dict()
    read_only(built.root)
    try:
        assert built().dataset.to_dict() == expected
        assert catalog.cached("kept_score", cache_dir=built.root).audit.n == N
    finally:
        read_only(built.root, writable=True)


def test_foreign_files_are_no_entry(built):
    built()
    stray = entry(built).with_name("0" * 64)
    stray.mkdir()
    (stray / "audit.json").write_text("{}")
    os.utime(stray, (2e9, 2e9))
    assert catalog.cached("kept_score", cache_dir=built.root).audit.n == N


def test_a_manifest_names_every_file(built):
    built()
    sums = json.loads((entry(built) / "manifest.json").read_text())["sha256"]
    assert sorted(sums) == sorted({*FILES, "LICENSE"} - {"manifest.json"})
    assert cache.find_entry(entry(built)).audit.notes == ["read"]


FULL = """
import os, resource, signal, sys
import datasets
from builders import load
from builders.errors import CacheError
datasets.disable_progress_bars()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    load("starter_location", cache_dir=sys.argv[1])
except CacheError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
there = os.path.isdir(f"{sys.argv[1]}/gene-bench/starter_location")
print(there, load("starter_location", cache_dir=sys.argv[1]).audit.n)
"""


@pytest.mark.parametrize("size", [100, 4000])
def test_a_full_disk_is_named_and_leaves_nothing_half_written(tmp_path, repo, size):
    # A limit on the size of files fails as a full disk does: after some bytes.
    command = [sys.executable, "-c", FULL, str(tmp_path), str(size)]
    done = subprocess.run(command, cwd=repo, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"{tmp_path}: the datasets cache cannot be written (File too large);"
        " set HF_HOME or HF_DATASETS_CACHE to a folder on a local disk with room",
        "False 320",
    ]
