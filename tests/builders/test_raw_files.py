"""Raw files: found in a folder or downloaded once, with their sha256, and one line when they are not to be had."""

import gc
import hashlib
import re
import threading
import time
import warnings
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import datasets
import pytest

from builders import RawFile, RawFiles, Source, raw_files
from builders.errors import MissingFileError, SourceFileError

CONTENT = b"symbol\tlabel\nTP53\t1\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def toy(file):
    return Source(
        name="toy",
        title="Toy database",
        homepage="https://toy.example/downloads",
        version="1",
        license="CC0-1.0",
        license_url="https://toy.example/terms",
        redistributable=True,
        citation="Toy et al.",
        files={"table": file},
    )


@pytest.fixture
def server(monkeypatch):
    """A publisher: answers by path and keeps a list of the requests."""

    class Publisher(BaseHTTPRequestHandler):
        requests: list[str] = []

        def do_GET(self):
            self.answer(body=True)

        def do_HEAD(self):
            self.answer(body=False)

        def answer(self, *, body):
            self.requests.append(f"{self.command} {self.path}")
            broken = self.path == "/broken" or (self.path == "/once-broken" and len(self.requests) == 1)
            status = int(self.path[1:]) if self.path[1:].isdigit() else 200
            self.send_response(status)
            self.send_header("Content-Length", str(len(CONTENT) * (2 if broken else 1)))
            self.end_headers()
            if body:
                self.wfile.write(CONTENT)

        def log_message(self, *args):
            pass

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(raw_files, "RETRIES", 0)
    publisher = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    thread = threading.Thread(target=publisher.serve_forever, daemon=True)
    thread.start()
    publisher.url = f"http://127.0.0.1:{publisher.server_port}"
    publisher.requests = Publisher.requests
    yield publisher
    publisher.shutdown()
    publisher.server_close()
    thread.join()
    # pooch leaves the connection of a broken stream to the garbage collector.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_file_of_the_data_directory(data_dir, write_raw):
    path = write_raw("toy/sub/table.tsv", CONTENT)
    raw = RawFiles(data_dir)
    assert raw.path(toy(RawFile(("sub/table.tsv",), url=None)), "table") == path
    assert raw.sha256(path) == SHA256


def test_data_directory_from_the_environment(data_dir, write_raw, monkeypatch):
    path = write_raw("toy/table.tsv", CONTENT)
    monkeypatch.setenv("GENE_BENCH_DATA_DIR", str(data_dir))
    assert RawFiles().path(toy(RawFile(("table.tsv",), url=None)), "table") == path


def test_first_name_that_exists_is_taken(data_dir, write_raw):
    source = toy(RawFile(("table.tsv", "table.tsv.gz"), url=None))
    packed = write_raw("toy/table.tsv.gz", b"packed")
    assert RawFiles(data_dir).path(source, "table") == packed
    plain = write_raw("toy/table.tsv", b"plain")
    assert RawFiles(data_dir).path(source, "table") == plain


def test_missing_file_says_which_where_and_whence(data_dir):
    file = RawFile(("table.tsv", "table.tsv.gz"), url="https://toy.example/table.tsv")
    with pytest.raises(MissingFileError) as error:
        RawFiles(data_dir).path(toy(file), "table")
    assert str(error.value) == (
        f"Toy database: no table.tsv or table.tsv.gz in {data_dir / 'toy'}; get it from https://toy.example/table.tsv"
    )
    assert RawFiles(data_dir).path(toy(replace(file, optional=True)), "table") is None


def test_data_directory_that_is_not_there(tmp_path):
    with pytest.raises(MissingFileError, match=r"data directory '.*/nowhere' does not exist; expected a folder with"):
        RawFiles(tmp_path / "nowhere")


def test_file_that_no_get_fetches(tmp_path):
    file = RawFile(("parts",), url=None)
    raw = RawFiles(cache_dir=tmp_path)
    with pytest.raises(MissingFileError, match="https://toy.example/downloads"):
        raw.path(toy(file), "table")
    with pytest.raises(
        MissingFileError, match=r"get it with `rsync -r x DIR/toy`, put it at DIR/toy/parts and pass --data"
    ):
        raw.path(toy(replace(file, command="rsync -r x DIR/toy")), "table")
    assert raw.path(toy(replace(file, optional=True)), "table") is None


def test_pinned_sha256(data_dir, write_raw):
    file = RawFile(("table.tsv",), url="https://toy.example/table.tsv", sha256=SHA256)
    write_raw("toy/table.tsv", CONTENT)
    assert RawFiles(data_dir).path(toy(file), "table") is not None
    write_raw("toy/table.tsv", b"tampered")
    found = hashlib.sha256(b"tampered").hexdigest()
    with pytest.raises(SourceFileError, match=rf"table\.tsv: .*{found}.*{SHA256}"):
        RawFiles(data_dir).path(toy(file), "table")


def test_sha256_of_a_folder_covers_names_and_contents(data_dir, write_raw):
    def digest():
        return RawFiles(data_dir).sha256(data_dir / "toy")

    write_raw("toy/a", "1")
    write_raw("toy/sub/b", "2")
    parts = {"a": hashlib.sha256(b"1").hexdigest(), "sub/b": hashlib.sha256(b"2").hexdigest()}
    first = hashlib.sha256("".join(f"{name}\0{sha}\n" for name, sha in parts.items()).encode()).hexdigest()
    assert digest() == first
    (data_dir / "toy/a").rename(data_dir / "toy/c")
    renamed = digest()
    write_raw("toy/c", "3")
    assert len({first, renamed, digest()}) == 3


def test_what_was_made_once_is_kept(tmp_path):
    raw, calls = RawFiles(cache_dir=tmp_path), []
    for _ in range(2):
        assert raw.once("key", lambda: calls.append(1) or "made") == "made"
    assert calls == [1]


def test_download_happens_once(server, tmp_path):
    source = toy(RawFile(("table.tsv",), url=f"{server.url}/table.tsv", sha256=SHA256))
    path = RawFiles(cache_dir=tmp_path).path(source, "table")
    assert path.read_bytes() == CONTENT
    assert "GET /table.tsv" in server.requests
    server.requests.clear()
    assert RawFiles(cache_dir=tmp_path).path(source, "table") == path
    assert server.requests == []


def test_downloaded_file_other_than_the_pinned_one_is_not_kept(server, tmp_path):
    source = toy(RawFile(("table.tsv",), url=f"{server.url}/table.tsv", sha256="0" * 64))
    with pytest.raises(SourceFileError) as error:
        RawFiles(cache_dir=tmp_path).path(source, "table")
    assert {SHA256, "0" * 64} <= set(re.findall(r"[0-9a-f]{64}", str(error.value)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_download_that_breaks_off_is_tried_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr(raw_files, "RETRIES", 1)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    source = toy(RawFile(("table.tsv",), url=f"{server.url}/once-broken"))
    assert RawFiles(cache_dir=tmp_path).path(source, "table").read_bytes() == CONTENT
    assert server.requests == ["GET /once-broken"] * 2


@pytest.mark.parametrize(("page", "reason"), [("404", "404"), ("500", "500"), ("broken", "IncompleteRead")])
def test_download_that_fails_says_why_and_what_to_do(server, tmp_path, page, reason):
    source = toy(RawFile(("table.tsv",), url=f"{server.url}/{page}"))
    with pytest.raises(MissingFileError, match=reason) as error:
        RawFiles(cache_dir=tmp_path).path(source, "table")
    message = str(error.value)
    assert message.startswith(f"Toy database: could not download {server.url}/{page} (")
    assert message.endswith("; put the file at DIR/toy/table.tsv and pass --data-dir DIR")
    assert "\n" not in message
    # Half a file must not be taken for the file next time.
    with pytest.raises(MissingFileError):
        RawFiles(cache_dir=tmp_path).path(source, "table")


def test_server_that_is_gone(server, tmp_path):
    source = toy(RawFile(("table.tsv",), url=f"{server.url}/table.tsv"))
    server.shutdown()
    server.server_close()
    with pytest.raises(MissingFileError, match=r"could not download http.*refused.*; put the file at"):
        RawFiles(cache_dir=tmp_path).path(source, "table")


def test_offline_mode(tmp_path):
    source = toy(RawFile(("table.tsv",), url="http://127.0.0.1:9/table.tsv"))
    with pytest.raises(MissingFileError, match=r"\(offline mode is enabled.*; put the file at DIR/toy/table.tsv"):
        RawFiles(cache_dir=tmp_path).path(source, "table")
