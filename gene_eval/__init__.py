"""What a gene's vector knows: models times tasks, scores, result files, tables.

>>> import gene_eval
>>> results = gene_eval.run(["bag-of-words", "random"], "starter_is_tf", log=lambda line: None)
>>> results.models, results.tasks
(('bag-of-words', 'random'), ('starter_is_tf',))

Names are loaded when first used, so that `import gene_eval` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gene_eval.catalogue.listing import models, suites, tasks
    from gene_eval.core.probe import probe
    from gene_eval.errors import GeneBenchError
    from gene_eval.results.store import load_predictions
    from gene_eval.running.outcome import Results, compare, load_results
    from gene_eval.running.runner import run
    from gene_eval.running.validity.power import power

__all__ = [
    "GeneBenchError",
    "Results",
    "__version__",
    "compare",
    "load_predictions",
    "load_results",
    "models",
    "power",
    "probe",
    "run",
    "suites",
    "tasks",
]

__version__ = "0.1.0"

_MODULES = {
    "GeneBenchError": "gene_eval.errors",
    "Results": "gene_eval.running.outcome",
    "compare": "gene_eval.running.outcome",
    "load_predictions": "gene_eval.results.store",
    "load_results": "gene_eval.running.outcome",
    "models": "gene_eval.catalogue.listing",
    "power": "gene_eval.running.validity.power",
    "probe": "gene_eval.core.probe",
    "run": "gene_eval.running.runner",
    "suites": "gene_eval.catalogue.listing",
    "tasks": "gene_eval.catalogue.listing",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
