"""`gene-bench why GENE`: what became of a gene between the files of the sources and the scores of models."""

import argparse
from collections.abc import Iterator, Sequence

from builders import BuilderError, RawFiles, Trace, select, trace
from builders.errors import UnknownGeneError
from gene_eval.catalogue.suites import expand
from gene_eval.cli.output import DONE, hide_bars_of_datasets
from gene_eval.errors import GeneBenchError
from gene_eval.running.encoding.vectors import ModelVectors
from gene_eval.running.models import load_models
from gene_eval.running.resolve import make_resolve
from gene_eval.text import count, say, some

__all__ = ["why"]

GENES, STARTER = "genes", "starter_genes"


def why(arguments: argparse.Namespace) -> int:
    """Print for each task what its source says about a gene and what became of it; then which models have a vector."""
    hide_bars_of_datasets()
    raw = RawFiles(arguments.data_dir)
    names = select(expand(arguments.tasks), sequences=False)
    models = load_models(list(arguments.models), resolve=make_resolve(raw, say)) if arguments.models else []
    traces, unread = _traces(arguments.gene, names, raw)
    shown = traces if arguments.tasks else [each for each in traces if each.rows_read or each.n_entities]
    for each in shown:
        print("\n".join(_lines(each)))
    if silent := [each.task for each in traces if each not in shown]:
        print(f"{count(len(silent), 'task')} have no row for this gene: {some(silent)}")
    for reason, tasks in unread.items():
        say(f"not looked at: {some(tasks)}: {reason}")
    symbols = dict.fromkeys(each.symbol for each in traces if each.symbol)
    for model in models:
        vectors = ModelVectors(model.model, raw, name=model.name, log=say)
        print(f"{model.name}: {_vector_of(list(symbols) or [arguments.gene], vectors)}")
    return DONE


def _traces(gene: str, names: Sequence[str], raw: RawFiles) -> tuple[list[Trace], dict[str, list[str]]]:
    """A trace for each task, and by reason the tasks that cannot be traced.

    Raises:
        BuilderError: No task knows the gene; the message has the nearest names.
    """
    traces: list[Trace] = []
    unread: dict[str, list[str]] = {}
    unknown: UnknownGeneError | None = None
    for name in names:
        try:
            traces.append(trace(gene, name, raw))
        except UnknownGeneError as error:
            # The last one: the starter's few genes come first where no source is at hand.
            unknown = error
        except BuilderError as error:
            unread.setdefault(str(error), []).append(name)
    if not traces and unknown is not None:
        raise unknown
    if not traces:
        reason = next(iter(unread))
        raise BuilderError(reason)
    return traces, unread


def _lines(found: Trace) -> Iterator[str]:
    yield f"{found.task}: {found.verdict}"
    if found.symbol != found.gene:
        known = f"is {found.symbol}" if found.symbol else "has no current symbol"
        others = f" ({', '.join(found.candidates)})" if found.candidates else ""
        yield f"    {found.gene} {known}: {found.status}{others}"
    for row in found.source_rows:
        names = ", ".join(
            f"{each.text}" + (f" -> {each.symbol or 'none'} ({each.status})" if each.symbol != each.text else "")
            for each in row.identifiers
            if each.text
        )
        yield f"    source row {row.number + 1}: {names}; label {_label(row.label)}"
    if found.rows_read > len(found.source_rows):
        yield f"    and {found.rows_read - len(found.source_rows):,} more rows of the source"
    if found.duplicates:
        yield f"    {found.duplicates:,} rows say the same about an entity and were merged"
    if found.conflicts:
        yield f"    {found.conflicts:,} entities were left out because their rows disagree"
    for label, n in found.labels_dropped.items():
        yield f"    its label {label} is too rare ({n:,} entities) and was dropped"
    for entry in found.task_rows:
        folds = ", ".join(f"{name} {number}" for name, number in entry.folds.items())
        entity = "/".join(entry.entity.values())
        yield f"    in the task: {entity}, label {_label(entry.label)}, {folds}"
    if found.n_entities > len(found.task_rows):
        yield f"    and {found.n_entities - len(found.task_rows):,} more rows of the task"


def _label(label: str | float | tuple[str, ...]) -> str:
    return "; ".join(label) or "none" if isinstance(label, tuple) else str(label)


def _vector_of(symbols: Sequence[str], vectors: ModelVectors) -> str:
    """Whether a model has a vector for a gene, and if not, why."""
    try:
        tables = [vectors.of(GENES)]
    except BuilderError:
        tables = [vectors.of(STARTER)]
    except GeneBenchError as error:
        return f"no vectors: {error}"
    found = [symbol for symbol in symbols if any(symbol in table.row for table in tables)]
    if found:
        return f"has a vector of {', '.join(found)}"
    if vectors.is_precomputed:
        return f"no vector: none of its {len(tables[0].row):,} identifiers resolves to {' or '.join(symbols)}"
    column = getattr(vectors.model, "input_column", "")
    return f"no vector: the gene table has no {column or 'input'} of {' or '.join(symbols)} that the model reads"
