"""What a source is, and where its raw files are found: a local folder, or a download."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from builders.config import DATASET_NAME
from builders.errors import MissingFileError, SourceFileError

__all__ = ["LICENCES", "RawFile", "RawFiles", "Source"]

T = TypeVar("T")
DATA_DIR_VARIABLE = "GENE_BENCH_DATA_DIR"
_CC = "https://creativecommons.org"
LICENCES: dict[str, tuple[str, bool]] = {
    "Apache-2.0": ("https://www.apache.org/licenses/LICENSE-2.0", True),
    "CC-BY-3.0": (f"{_CC}/licenses/by/3.0/", True),
    "CC-BY-4.0": (f"{_CC}/licenses/by/4.0/", True),
    "CC-BY-SA-3.0": (f"{_CC}/licenses/by-sa/3.0/", True),
    "CC-BY-SA-4.0": (f"{_CC}/licenses/by-sa/4.0/", True),
    "CC-BY-NC-4.0": (f"{_CC}/licenses/by-nc/4.0/", False),
    "CC-BY-NC-ND-4.0": (f"{_CC}/licenses/by-nc-nd/4.0/", False),
    "CC-BY-NC-SA-4.0": (f"{_CC}/licenses/by-nc-sa/4.0/", False),
    "CC-BY-ND-4.0": (f"{_CC}/licenses/by-nd/4.0/", False),
    "CC0-1.0": (f"{_CC}/publicdomain/zero/1.0/", True),
    "GPL-3.0": ("https://www.gnu.org/licenses/gpl-3.0.html", True),
    "MIT": ("https://opensource.org/license/mit", True),
    "ODbL-1.0": ("https://opendatacommons.org/licenses/odbl/1-0/", True),
}
"""SPDX id -> address of its text, and whether anybody may publish rows made from data under it."""
RETRIES = 2
"""How often a download is tried again that broke off or brought another file than the pinned one."""


@dataclass(frozen=True)
class RawFile:
    """One file that a source publishes.

    Args:
        names: Accepted paths below `DIR/<source>/`, the preferred one first (an unzipped copy of the original, say).
        url: Where the source publishes it; None if it cannot be fetched by a plain GET.
        command: What fetches it where a plain GET cannot (a folder of many files); named in the error.
        sha256: Pinned checksum of the file as published, for a file that never changes.
        optional: Whether a build goes on without it, where a data directory lacks it or it has no url.
    """

    names: tuple[str, ...]
    url: str | None
    sha256: str | None = None
    optional: bool = False
    command: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """A curated database and the terms under which it is used; the defaults are for data of one's own.

    Args:
        name: Folder name below the data directory and prefix of the task ids.
        title: Name for readers.
        files: Key -> file. Keys are ours, names are the publisher's.
        homepage: Where a reader learns more.
        version: Release that the urls point at; "latest" where the publisher keeps one moving file.
        releases: Releases whose layout the builder was written against.
        license: SPDX id, or "unknown" where the publisher states none.
        license_url: Where the terms are stated. Default: the text of a licence in `LICENCES`.
        redistributable: Whether those terms let us publish rows made from it. Default: what `LICENCES` says, and no
            for a licence that is not in it.
        citation: How to cite it.
    """

    name: str
    title: str
    files: dict[str, RawFile]
    homepage: str = ""
    version: str = "1"
    releases: str = ""
    license: str = "unknown"
    license_url: str = ""
    redistributable: bool | None = None
    citation: str = ""

    def __post_init__(self) -> None:
        url, is_open = LICENCES.get(self.license, ("", False))
        object.__setattr__(self, "license_url", self.license_url or url)
        object.__setattr__(self, "redistributable", is_open if self.redistributable is None else self.redistributable)


class RawFiles:
    """Finds raw files, takes their sha256 and keeps what was parsed, so that one run reads each file once.

    Args:
        data_dir: Folder with the layout `DIR/<source>/<original file name>`. Default: `GENE_BENCH_DATA_DIR`.
            Without either, files are downloaded from their source into the Hugging Face cache.
        cache_dir: Root of the datasets cache (downloads go to `downloads/` there). Default: that of `datasets`.
    """

    def __init__(self, data_dir: str | Path | None = None, *, cache_dir: str | Path | None = None) -> None:
        given = data_dir or os.environ.get(DATA_DIR_VARIABLE)
        self.data_dir = Path(given).expanduser() if given else None
        if self.data_dir is not None and not self.data_dir.is_dir():
            message = (
                f"data directory '{self.data_dir}' does not exist; expected a folder with <source>/<file name> in it"
            )
            raise MissingFileError(message)
        self._cache_dir = cache_dir
        self._sha256: dict[Path, str] = {}
        self._memory: dict[Any, Any] = {}

    def path(self, source: Source, key: str) -> Path | None:
        """Local path of a raw file, downloaded if need be; None for an optional file that is not there.

        Raises:
            MissingFileError: The file is not in the data directory, or could not be downloaded.
            SourceFileError: The file's sha256 is not the pinned one.
        """
        file = source.files[key]
        found = self._local(source, file) if self.data_dir is not None else self._download(source, file)
        if found is not None and file.sha256 is not None and self.sha256(found) != file.sha256:
            message = (
                f"{found}: sha256 is {self.sha256(found)}, but {file.sha256} is pinned; fetch it again from {file.url}"
            )
            raise SourceFileError(message)
        return found

    def keep(self, source: Source, key: str) -> None:
        """Keep a copy of a raw file that later builds need, from whatever folder: see `kept`."""
        path, copy = self.path(source, key), self._copy(source, key)
        # A cache that cannot be written has no copy.
        with contextlib.suppress(OSError):
            kept = self.kept(source, key)
            if path is not None and (kept is None or self.sha256(kept) != self.sha256(path)):
                copy.parent.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(dir=copy.parent) as folder:
                    made = Path(folder) / "made"
                    made.mkdir()
                    shutil.copyfile(path, made / path.name)
                    shutil.rmtree(copy, ignore_errors=True)
                    made.replace(copy)

    def kept(self, source: Source, key: str) -> Path | None:
        """The copy of a raw file that an earlier build left, for tasks of a user's own that need it; None without."""
        return next((path for path in sorted(self._copy(source, key).glob("*")) if path.is_file()), None)

    def _copy(self, source: Source, key: str) -> Path:
        import datasets

        # Beside the built tables; `load_dataset` does not see a name with a dot.
        return Path(self._cache_dir or datasets.config.HF_DATASETS_CACHE) / DATASET_NAME / ".raw" / source.name / key

    def sha256(self, path: Path) -> str:
        """Hex digest of a file, or of a folder's files in name order; computed once per path."""
        if path not in self._sha256:
            if path.is_dir():
                parts = sorted(part for part in path.rglob("*") if part.is_file())
                listing = "".join(f"{part.relative_to(path).as_posix()}\0{self.sha256(part)}\n" for part in parts)
                self._sha256[path] = hashlib.sha256(listing.encode()).hexdigest()
            else:
                with path.open("rb") as handle:
                    self._sha256[path] = hashlib.file_digest(handle, "sha256").hexdigest()
        return self._sha256[path]

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """What `make()` returned when it was first called for this key."""
        if key not in self._memory:
            self._memory[key] = make()
        value: T = self._memory[key]
        return value

    def _local(self, source: Source, file: RawFile) -> Path | None:
        assert self.data_dir is not None
        folder = self.data_dir / source.name
        for name in file.names:
            if (folder / name).exists():
                return folder / name
        if file.optional:
            return None
        wanted = " or ".join(file.names)
        message = f"{source.title}: no {wanted} in {folder}; {_get(source, file)}"
        raise MissingFileError(message)

    def _download(self, source: Source, file: RawFile) -> Path | None:
        if file.url is None:
            if file.optional:
                return None
            message = (
                f"{source.title}: {file.names[0]} cannot be downloaded by itself; {_get(source, file)}, put it at"
                f" DIR/{source.name}/{file.names[0]} and pass --data-dir DIR"
            )
            raise MissingFileError(message)
        folder, name = self._downloads(), f"{hashlib.sha256(file.url.encode()).hexdigest()[:12]}-{Path(file.url).name}"
        try:
            return _fetch(file, folder, name)
        # Errors of `requests` are OSErrors.
        except OSError as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            message = (
                f"{source.title}: could not download {file.url} ({reason}); put the file at"
                f" DIR/{source.name}/{file.names[0]} and pass --data-dir DIR"
            )
            raise MissingFileError(message) from error

    def _downloads(self) -> Path:
        import datasets

        if self._cache_dir:
            return Path(self._cache_dir) / "downloads" / DATASET_NAME
        return Path(datasets.config.DOWNLOADED_DATASETS_PATH) / DATASET_NAME


def _fetch(file: RawFile, folder: Path, name: str) -> Path:
    """The file in the folder, downloaded if it is not there; half a file is never left.

    Raises:
        OSError: It cannot be had.
        SourceFileError: What was downloaded has another sha256 than the pinned one, at every try.
    """
    import datasets

    assert file.url is not None
    if datasets.config.HF_HUB_OFFLINE and not (folder / name).exists():
        message = "offline mode is enabled (HF_HUB_OFFLINE)"
        raise OSError(message)
    # Only here: a build from a data directory needs neither it nor requests.
    import pooch

    pooch.get_logger().setLevel("WARNING")
    shop = pooch.create(folder, file.url, registry={name: file.sha256}, urls={name: file.url}, retry_if_failed=RETRIES)
    downloader = pooch.HTTPDownloader(
        progressbar=not datasets.are_progress_bars_disabled(),
        chunk_size=2**20,
        # A packed file must arrive as it is published, and not unpacked on the way.
        headers={"Accept-Encoding": "identity"},
    )
    try:
        return Path(shop.fetch(name, downloader=downloader))
    except ValueError as error:
        message = (
            f"{file.url}: {str(error).splitlines()[0]} Pinned is {file.sha256}; see whether the source has changed"
        )
        raise SourceFileError(message) from error


def _get(source: Source, file: RawFile) -> str:
    return f"get it with `{file.command}`" if file.command else f"get it from {file.url or source.homepage}"
