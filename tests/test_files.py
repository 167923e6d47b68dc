import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gene_eval.errors import FileError
from gene_eval.files import MACHINE, atomic_path, atomic_write, check_writable


def test_a_file_is_replaced_with_its_folders_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.txt"
    atomic_write(path, "one\r\n")
    atomic_write(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_text_is_utf8_and_keeps_its_line_ends(tmp_path: Path) -> None:
    atomic_write(tmp_path / "file", "é\r\n")
    assert (tmp_path / "file").read_bytes() == b"\xc3\xa9\r\n"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("x")])
def test_after_an_error_the_old_file_stays_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def write() -> None:
        with atomic_path(path) as part:
            part.write_text("half")
            raise error

    expected = FileError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected) as caught:
        write()
    if expected is FileError:
        assert str(caught.value) == f"cannot write {path}: No space left on device"
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_and_a_file_above_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match=rf"cannot write {tmp_path / 'folder'}: Is a directory"):
        atomic_write(tmp_path / "folder", "x")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match=rf"below: File exists \({tmp_path / 'file'}\)"):
        atomic_write(tmp_path / "file" / "below", "x")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file", tmp_path / "folder"]


def test_long_names_links_and_permissions(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 255)
    atomic_write(long, "x")
    assert long.stat().st_mode & 0o777 == 0o666 & ~_umask()
    (tmp_path / "link").symlink_to(long)
    atomic_write(tmp_path / "link", "through the link")
    assert (tmp_path / "link").is_symlink()
    assert long.read_text() == "through the link"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    atomic_write(pipe, "down the pipe")
    reader.join(timeout=10)
    assert read == [b"down the pipe"]
    assert pipe.is_fifo()


KILLED = """
import os, signal, sys
from gene_eval.files import atomic_path
with atomic_path(sys.argv[1]) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_swept_and_what_others_write_is_not(tmp_path: Path, repo: Path) -> None:
    target = tmp_path / "file"
    done = subprocess.run([sys.executable, "-c", KILLED, str(target)], cwd=repo, check=False)
    assert done.returncode == -9
    (left,) = tmp_path.iterdir()
    assert left.read_text() == "half"
    process, machine = left.name.split("-")[1], f"{int(MACHINE, 16) ^ 1:08x}"
    of_another = left.with_name(left.name.replace(MACHINE, machine))
    of_one_alive = left.with_name(left.name.replace(f"-{process}-", "-1-"))
    foreign = left.with_name(".file.part")
    for path in (of_another, of_one_alive, foreign):
        path.touch()
    atomic_write(target, "whole")
    assert sorted(tmp_path.iterdir()) == sorted([target, of_another, of_one_alive, foreign])
    assert target.read_text() == "whole"


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=rf"{tmp_path}: .*folder"):
        check_writable(tmp_path)
    with pytest.raises(FileError, match=rf": {tmp_path / 'file'} is a file, expected a folder$"):
        check_writable(tmp_path / "file" / "a" / "b")
    check_writable(tmp_path / "new" / "folder" / "file")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(FileError, match=rf": folder {tmp_path} cannot be written; name another$"):
        check_writable(tmp_path / "new" / "file")
