"""What a run may not replace without being told to: results of other vectors that have the same name."""

import os
from pathlib import Path

from gene_eval.errors import ResultError
from gene_eval.results import store
from gene_eval.results.records import ModelRecord, TaskResult
from gene_eval.results.reproduce import model_string

__all__ = ["refuse_in_place", "refuse_other_vectors"]

WAY_OUT = "give the model another name with --name (name= in Python), or replace them with --overwrite"
SHOWN = 16


def refuse_other_vectors(model: ModelRecord, root: str | os.PathLike[str]) -> None:
    """Refuse a run of a model whose name belongs, in a results folder, to another file, revision or set of options.

    Raises:
        ResultError: A result of that name is of something else.
    """
    for found in store.load_model(root, model.id):
        there, here = _origin(found.model), _origin(model)
        if found.model.id == model.id and there != here:
            name = next(name for name in here if there[name] != here[name])
            msg = (
                f"{root} holds results of other vectors under the name {model.id} ({name} {there[name][:SHOWN]} there,"
                f" {here[name][:SHOWN]} here); {WAY_OUT}"
            )
            raise ResultError(msg)


def refuse_in_place(found: TaskResult, wanted: TaskResult, path: Path) -> None:
    """Refuse to replace one result where its model's record cannot tell its vectors from those of the new one.

    The same model encodes other descriptions to other vectors, which may replace the old ones; a class in a user's
    file has no revision that would say whether it is the same.

    Raises:
        ResultError: Vectors differ, or how those of a pair or of a disease were made does.
    """
    is_known = wanted.model.revision is not None or model_string(wanted.model) is not None
    for option in ("pairs", "diseases", "terms"):
        was, now = found.probe.params.get(option), wanted.probe.params.get(option)
        if was != now:
            msg = f"{path} is with --{option} {was}, not {now}; take another folder (-o) or --overwrite"
            raise ResultError(msg)
    if not is_known and found.model.embedding_sha256 != wanted.model.embedding_sha256:
        msg = f"{path} is of other vectors; {WAY_OUT}"
        raise ResultError(msg)


def _origin(model: ModelRecord) -> dict[str, str]:
    return {"adapter": model.adapter, "revision": model.revision or "none", "options": model.options_text}
