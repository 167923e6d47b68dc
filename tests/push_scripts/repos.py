"""Repositories of the Hub in memory: commits, branches, pull requests."""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Blob:
    data: bytes
    is_lfs: bool = False

    @property
    def pointer(self) -> bytes:
        oid = hashlib.sha256(self.data).hexdigest()
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(self.data)}\n".encode()

    @property
    def git_oid(self) -> str:
        stored = self.pointer if self.is_lfs else self.data
        return hashlib.sha1(b"blob %d\0" % len(stored) + stored).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Commit:
    files: dict[str, Blob]
    parent: str | None
    title: str

    @property
    def oid(self) -> str:
        text = repr((sorted((path, blob.git_oid) for path, blob in self.files.items()), self.parent, self.title))
        return hashlib.sha1(text.encode()).hexdigest()


@dataclass
class Repo:
    kind: str
    id: str
    sdk: str | None = None
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    pulls: list[dict] = field(default_factory=list)

    def add(self, ref: str, commit: Commit) -> str:
        self.commits[commit.oid] = commit
        self.refs[ref] = commit.oid
        return commit.oid

    def files(self, ref: str = "main") -> dict[str, bytes]:
        return {path: blob.data for path, blob in self.commits[self.refs[ref]].files.items()}

    @property
    def log(self) -> list[str]:
        titles, oid = [], self.refs["main"]
        while oid is not None:
            titles.append(self.commits[oid].title)
            oid = self.commits[oid].parent
        return titles
