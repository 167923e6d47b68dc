"""What a push would do: files to send, compared with what the repository holds."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from huggingface_hub import constants

from gene_eval.errors import CardError
from push_scripts.errors import PushError

__all__ = ["Change", "Content", "Merge", "Plan", "Remote", "RemoteFile", "make_plan", "unknown"]

# The new text of a file, made from the one that is there (None if there is none).
Merge = Callable[[str | None], str]
Kind = Literal["add", "update", "delete", "same"]
ORDER: tuple[Kind, ...] = ("add", "update", "delete", "same")
UNITS = ("B", "kB", "MB", "GB")


@dataclass(frozen=True)
class Content:
    """What is to be in a repository.

    Args:
        repo_type: "dataset", "model" or "space".
        title: Message of the commit, and title of a pull request.
        files: Path in the repository -> bytes, a local file, or how to make it from what is there.
        space_sdk: SDK of a new Space.
        owns: Tells which paths of the repository are ours to delete when they are not in `files`.
        notes: Lines for the plan, such as what was left out.
    """

    repo_type: str
    title: str
    files: Mapping[str, bytes | Path | Merge]
    space_sdk: str | None = None
    owns: Callable[[str], bool] = field(default=lambda path: False)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository; `oid` is the sha256 of an LFS file, else git's hash of the blob."""

    size: int
    oid: str
    is_lfs: bool


@dataclass(frozen=True)
class Remote:
    """A repository as it is now.

    Args:
        repo_id: `owner/name`.
        repo_type: "dataset", "model" or "space".
        url: Where a reader finds it.
        user: Who is logged in; empty if nobody is, so that it is not known what is there.
        head: Commit that the files were listed at; None if the repository does not exist.
        files: Path -> file.
        revision: Branch or pull request that a push goes to.
        pull_request: Number of our open pull request, if a push goes there; 0 if it opens a new one.
    """

    repo_id: str
    repo_type: str
    url: str
    user: str
    head: str | None
    files: Mapping[str, RemoteFile]
    revision: str = "main"
    pull_request: int | None = None


@dataclass(frozen=True)
class Change:
    """What becomes of one file; `data` is what to send."""

    path: str
    kind: Kind
    size: int
    data: bytes | Path | None = None

    def is_in(self, remote: Remote) -> bool:
        """Whether a repository is as this change would make it."""
        there = remote.files.get(self.path)
        return there is None if self.data is None else there is not None and _is_same(self.data, there)


@dataclass(frozen=True)
class Plan:
    """Everything a push does, before it does it."""

    content: Content
    remote: Remote
    changes: tuple[Change, ...]

    @property
    def to_do(self) -> tuple[Change, ...]:
        """The files that change."""
        return tuple(change for change in self.changes if change.kind != "same")

    def __str__(self) -> str:
        """Repository, one line for each file that changes, and a sum."""
        remote = self.remote
        where = {None: "", 0: ", as a new pull request"}.get(
            remote.pull_request, f", to the open pull request #{remote.pull_request}"
        )
        state = ", which does not exist yet" if remote.head is None else ""
        address = f"  {remote.url} as {remote.user}"
        if not remote.user:
            state, address = "", f"  {remote.url}, not compared with what is there: nobody is logged in"
        lines = [f"push to the {remote.repo_type} {remote.repo_id}{state}{where}", address]
        lines += [f"  {change.kind:6}  {_size(change.size):>8}  {change.path}" for change in self.to_do]
        same = len(self.changes) - len(self.to_do)
        if same:
            lines.append(f"  same              {_files(same)}")
        lines += [f"  {note}" for note in self.content.notes]
        sent = [change for change in self.to_do if change.kind != "delete"]
        total = _size(sum(change.size for change in sent))
        lines.append(f"{_files(len(sent))} to send ({total}), {len(self.to_do) - len(sent)} to delete, in one commit")
        return "\n".join(lines)


def unknown(repo_id: str, repo_type: str) -> Remote:
    """A repository that cannot be asked, taken as empty."""
    prefix = "" if repo_type == "model" else f"{repo_type}s/"
    return Remote(repo_id, repo_type, f"{constants.ENDPOINT}/{prefix}{repo_id}", "", None, {})


def make_plan(content: Content, remote: Remote, read: Callable[[str], bytes]) -> Plan:
    """Compare what is to be with what is there.

    Args:
        content: What is to be.
        remote: What is there.
        read: Gives the bytes of a file of the repository, for those that are merged.

    Raises:
        PushError: A file of the repository cannot be merged with ours.
    """
    changes = []
    for path, source in content.files.items():
        there = remote.files.get(path)
        if not isinstance(source, bytes | Path):
            source = _merged(source, read(path) if there else None, f"{path} of {remote.repo_id}")
        kind: Kind = "add" if there is None else "same" if _is_same(source, there) else "update"
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        changes.append(Change(path, kind, size, source))
    for path, file in remote.files.items():
        if path not in content.files and content.owns(path):
            changes.append(Change(path, "delete", file.size))
    return Plan(content, remote, tuple(sorted(changes, key=lambda change: (ORDER.index(change.kind), change.path))))


def _merged(merge: Merge, there: bytes | None, name: str) -> bytes:
    try:
        return merge(None if there is None else there.decode("utf-8")).encode()
    except (CardError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        message = f"nothing was sent: {name} cannot take the results up: {reason}"
        raise PushError(message) from error


def _is_same(source: bytes | Path, there: RemoteFile) -> bool:
    data = source if isinstance(source, bytes) else source.read_bytes()
    if len(data) != there.size:
        return False
    # Git's name of a blob; the sha1 guards nothing.
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
    return there.oid == (hashlib.sha256(data) if there.is_lfs else blob).hexdigest()


def _files(n: int) -> str:
    return f"{n} file{'' if n == 1 else 's'}"


def _size(n: float) -> str:
    """Bytes for a reader.

    >>> _size(12), _size(2_345), _size(7_000_000)
    ('12 B', '2.3 kB', '7.0 MB')
    """
    unit = 0
    while n >= 1000 and unit < len(UNITS) - 1:
        n, unit = n / 1000, unit + 1
    return f"{n:.0f} B" if unit == 0 else f"{n:.1f} {UNITS[unit]}"
