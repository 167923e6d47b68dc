"""A Hub in memory: the parts of the Hub's API that huggingface_hub 2 uses to push and to read back what was pushed.

Written after the requests of the installed client, not after any server. Faults are injected with `fail`.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from fake_hub_repos import Blob, Commit, Repo

REPO = r"(?P<kind>model|dataset|space)s/(?P<id>[^/]+/[^/]+)"
FILES = r"/(?:(?P<kind>dataset|space)s/)?(?P<id>[^/]+/[^/]+)"
LFS_FROM = 1_000_000
LFS_ENDINGS = (".parquet", ".png", ".npz")


@dataclass
class Fault:
    """How some requests fail.

    Args:
        request: Glob over "METHOD /path".
        status: HTTP status; 0 drops the connection after half of the body was read.
        times: How many requests fail.
        headers: Of the answer.
        body: Of the answer.
        after: Whether the request is carried out before its answer is lost or replaced.
    """

    request: str
    status: int
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": "injected"}'
    after: bool = False


class Refused(Exception):
    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


class FakeHub(ThreadingHTTPServer):
    """The server; `url` is its address, `tokens` maps each token to (user, organizations)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.tokens: dict[str, tuple[str, list[str]]] = {}
        self.repos: dict[tuple[str, str], Repo] = {}
        self.lfs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.faults: list[Fault] = []
        self.lock = threading.RLock()

    def start(self) -> "FakeHub":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def fail(self, request: str, status: int, **options) -> None:
        self.faults.append(Fault(request, status, **options))

    def repo(self, kind: str, repo_id: str) -> Repo:
        return self.repos[kind, repo_id]

    def create(self, kind: str, repo_id: str, files: dict[str, str] | None = None, sdk: str | None = None) -> Repo:
        repo = self.repos[kind, repo_id] = Repo(kind, repo_id, sdk)
        content = {".gitattributes": Blob(b"*.parquet filter=lfs\n")}
        content |= {path: Blob(text.encode()) for path, text in (files or {}).items()}
        repo.add("main", Commit(content, None, "initial commit"))
        return repo

    @property
    def writes(self) -> list[str]:
        """Requests that change a repository."""
        pattern = (
            r"(POST /api/repos/create|DELETE /api/repos/delete|POST .*/(preupload|commit)/|POST .*/batch|PUT /lfs/)"
        )
        return [request for request in self.requests if re.match(pattern, request)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise each answer waits 40 ms for the client's acknowledgement of its headers.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: FakeHub

    def log_message(self, *args) -> None:
        pass

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.requests.append(f"{self.command} {path}")
        fault = self._fault(f"{self.command} {path}")
        length = int(self.headers.get("Content-Length") or 0)
        if fault and fault.status == 0 and not fault.after:
            self.rfile.read(length // 2)
            return self._drop()
        self.body = self._chunked() if self.headers.get("Transfer-Encoding") == "chunked" else self.rfile.read(length)
        if fault and not fault.after:
            return self._send(fault.status, fault.body, fault.headers)
        try:
            with self.server.lock:
                status, body, headers = self._route(path)
        except Refused as refused:
            headers = {"X-Error-Message": refused.message} | ({"X-Error-Code": refused.code} if refused.code else {})
            status, body = refused.status, json.dumps({"error": refused.message}).encode()
        if fault and fault.status == 0:
            return self._drop()
        self._send(fault.status, fault.body, fault.headers) if fault else self._send(status, body, headers)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    def _fault(self, request: str) -> Fault | None:
        with self.server.lock:
            for fault in self.server.faults:
                if fault.times and fnmatchcase(request, fault.request):
                    fault.times -= 1
                    return fault
        return None

    def _chunked(self) -> bytes:
        data = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _route(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        for method, pattern, serve in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in method.split():
                answer = serve(self, **match.groupdict())
                if isinstance(answer, tuple):
                    return answer
                return 200, json.dumps(answer).encode(), {"Content-Type": "application/json"}
        raise Refused(404, f"no such page: {self.command} {path}")

    # Who asks, and what for.

    def _user(self) -> tuple[str, list[str]] | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token not in self.server.tokens:
            raise Refused(401, "Invalid credentials in Authorization header")
        return self.server.tokens.get(token)

    def _may_write(self, repo_id: str, *, as_pull_request: bool = False) -> str:
        user = self._user()
        if user is None:
            raise Refused(401, "Invalid username or password.")
        owner = repo_id.partition("/")[0]
        if not as_pull_request and owner != user[0] and owner not in user[1]:
            raise Refused(403, f"You don't have the rights to write to {owner}")
        return user[0]

    def _find(self, kind: str | None, repo_id: str, revision: str = "main") -> tuple[Repo, str, Commit]:
        repo = self.server.repos.get((kind or "model", repo_id))
        if repo is None:
            raise Refused(404 if self._user() else 401, "Repository not found", "RepoNotFound")
        oid = repo.refs.get(revision, revision)
        if oid not in repo.commits:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return repo, oid, repo.commits[oid]

    def _json(self) -> dict:
        return json.loads(self.body)

    # Pages.

    def whoami(self) -> object:
        user = self._user()
        if user is None:
            raise Refused(401, "Invalid username or password.")
        orgs = [{"type": "org", "name": name} for name in user[1]]
        return {"type": "user", "name": user[0], "orgs": orgs, "auth": {"type": "access_token"}}

    def validate_yaml(self) -> object:
        head = re.match(r"\s*---\r?\n(.*?)\r?\n---", self._json()["content"], re.DOTALL)
        try:
            yaml.safe_load(head[1]) if head else None
        except yaml.YAMLError as error:
            answer = {"errors": [{"message": str(error)}], "warnings": []}
            return 400, json.dumps(answer).encode(), {"Content-Type": "application/json"}
        return {"errors": [], "warnings": []}

    def create(self) -> object:
        asked = self._json()
        user = self._user()
        repo_id = f"{asked.get('organization') or (user or ('',))[0]}/{asked['name']}"
        self._may_write(repo_id)
        kind = asked.get("type", "model")
        if (kind, repo_id) in self.server.repos:
            raise Refused(409, "You already created this repo")
        self.server.create(kind, repo_id, sdk=asked.get("sdk"))
        return {"url": f"{self.server.url}/{'' if kind == 'model' else kind + 's/'}{repo_id}", "id": repo_id}

    def delete(self) -> object:
        asked = self._json()
        repo_id = f"{asked['organization']}/{asked['name']}"
        self._may_write(repo_id)
        self._find(asked.get("type"), repo_id)
        del self.server.repos[asked.get("type", "model"), repo_id]
        return {}

    def info(self, kind: str, id: str, revision: str = "main") -> object:
        repo, oid, commit = self._find(kind, id, revision)
        siblings = [{"rfilename": path} for path in sorted(commit.files)]
        return {"id": id, "sha": oid, "private": False, "tags": [], "siblings": siblings, "sdk": repo.sdk}

    def tree(self, kind: str, id: str, revision: str, path: str | None = None) -> object:
        _, _, commit = self._find(kind, id, revision)
        prefix = f"{path}/" if path else ""
        inside = {name: blob for name, blob in commit.files.items() if name.startswith(prefix)}
        if path and not inside:
            raise Refused(404, f"{path} does not exist", "EntryNotFound")
        if self.query.get("recursive", "").lower() in ("true", "1"):
            folders = {name[:i] for name in inside for i in range(len(prefix), len(name)) if name[i] == "/"}
        else:
            folders = {prefix + name[len(prefix) :].split("/")[0] for name in inside if "/" in name[len(prefix) :]}
            inside = {name: blob for name, blob in inside.items() if "/" not in name[len(prefix) :]}
        return [_folder(name) for name in sorted(folders)] + [
            _file(name, blob) for name, blob in sorted(inside.items())
        ]

    def paths_info(self, kind: str, id: str, revision: str) -> object:
        _, _, commit = self._find(kind, id, revision)
        asked = parse_qs(self.body.decode()).get("paths", [])
        found = [_file(path, commit.files[path]) for path in asked if path in commit.files]
        folders = [path for path in asked if any(name.startswith(f"{path}/") for name in commit.files)]
        return found + [_folder(path) for path in folders]

    def preupload(self, kind: str, id: str, revision: str) -> object:
        _, _, commit = self._find(kind, id, revision)
        self._may_write(id, as_pull_request=self.query.get("create_pr") == "1" or revision.startswith("refs/pr/"))
        answers = []
        for file in self._json()["files"]:
            path = file["path"]
            is_lfs = path.endswith(LFS_ENDINGS) or file["size"] >= LFS_FROM
            there = commit.files.get(path)
            oid = None if there is None else there.sha256 if there.is_lfs else there.git_oid
            mode = "lfs" if is_lfs else "regular"
            answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return {"files": answers}

    def lfs_batch(self, kind: str | None, id: str) -> object:
        self._find(kind, id)
        self._may_write(id, as_pull_request=True)
        objects = []
        for asked in self._json()["objects"]:
            oid = asked["oid"]
            has = oid in self.server.lfs
            actions = {"upload": {"href": f"{self.server.url}/lfs/{oid}?signature=secret", "header": {}}}
            objects.append({"oid": oid, "size": asked["size"]} | ({} if has else {"actions": actions}))
        answer = {"transfer": "basic", "objects": objects}
        return 200, json.dumps(answer).encode(), {"Content-Type": "application/vnd.git-lfs+json"}

    def lfs_put(self, oid: str) -> object:
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Refused(400, "content does not have this hash")
        self.server.lfs[oid] = self.body
        return 200, b"", {"ETag": f'"{oid}"'}

    def commit(self, kind: str, id: str, revision: str) -> object:
        as_new = self.query.get("create_pr") == "1"
        repo, oid, parent = self._find(kind, id, revision)
        user = self._may_write(id, as_pull_request=as_new or revision.startswith("refs/pr/"))
        lines = [json.loads(line) for line in self.body.splitlines()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        if header.get("parentCommit", oid) != oid:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        files = dict(parent.files)
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = Blob(base64.b64decode(value["content"]))
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.server.lfs:
                    raise Refused(400, f"{value['path']} was not uploaded")
                files[value["path"]] = Blob(self.server.lfs[value["oid"]], is_lfs=True)
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        number = len(repo.pulls) + 1
        new = repo.add(f"refs/pr/{number}" if as_new else revision, Commit(files, oid, header["summary"]))
        where = f"{self.server.url}/{'' if kind == 'model' else kind + 's/'}{id}"
        answer = {"success": True, "commitOid": new, "commitUrl": f"{where}/commit/{new}"}
        if as_new:
            now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            facts = {"num": number, "title": header["summary"], "status": "open", "createdAt": now}
            repo.pulls.append(facts | {"author": {"name": user}, "isPullRequest": True})
            answer["pullRequestUrl"] = f"{where}/discussions/{number}"
        return answer

    def discussions(self, kind: str, id: str) -> object:
        repo, _, _ = self._find(kind, id)
        found = [
            pull | {"repo": {"name": id, "type": kind}}
            for pull in repo.pulls
            if self.query.get("status", pull["status"]) == pull["status"]
            and self.query.get("author", pull["author"]["name"]) == pull["author"]["name"]
        ]
        return {"discussions": found, "count": len(found), "start": 0}

    def resolve(self, kind: str | None, id: str, revision: str, path: str) -> object:
        _, oid, commit = self._find(kind, id, revision)
        if path not in commit.files:
            raise Refused(404, "Entry not found", "EntryNotFound")
        blob = commit.files[path]
        headers = {"X-Repo-Commit": oid, "ETag": f'"{blob.git_oid}"', "Accept-Ranges": "bytes"}
        if blob.is_lfs:
            headers |= {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(len(blob.data))}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            return 200, blob.data, headers
        start, end = int(asked[1]), min(int(asked[2] or len(blob.data) - 1), len(blob.data) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(blob.data)}"
        return 206, blob.data[start : end + 1], headers


def _file(path: str, blob: Blob) -> dict:
    facts = {"type": "file", "path": path, "size": len(blob.data), "oid": blob.git_oid}
    pointer = {"oid": blob.sha256, "size": len(blob.data), "pointerSize": len(blob.pointer)}
    return facts | ({"lfs": pointer} if blob.is_lfs else {})


def _folder(path: str) -> dict:
    return {"type": "directory", "path": path, "size": 0, "oid": hashlib.sha1(path.encode()).hexdigest()}


REVISION = r"(?P<revision>refs/pr/\d+|[^/]+)"
ROUTES: list[tuple[str, str, Callable]] = [
    ("GET", r"/api/whoami-v2", Handler.whoami),
    ("POST", r"/api/validate-yaml", Handler.validate_yaml),
    ("POST", r"/api/repos/create", Handler.create),
    ("DELETE", r"/api/repos/delete", Handler.delete),
    ("GET", rf"/api/{REPO}", Handler.info),
    ("GET", rf"/api/{REPO}/revision/{REVISION}", Handler.info),
    ("GET", rf"/api/{REPO}/tree/{REVISION}(?:/(?P<path>.+))?", Handler.tree),
    ("POST", rf"/api/{REPO}/paths-info/{REVISION}", Handler.paths_info),
    ("POST", rf"/api/{REPO}/preupload/{REVISION}", Handler.preupload),
    ("POST", rf"/api/{REPO}/commit/{REVISION}", Handler.commit),
    ("GET", rf"/api/{REPO}/discussions", Handler.discussions),
    ("POST", rf"{FILES}\.git/info/lfs/objects/batch", Handler.lfs_batch),
    ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})", Handler.lfs_put),
    ("GET HEAD", rf"{FILES}/resolve/{REVISION}/(?P<path>.+)", Handler.resolve),
]
