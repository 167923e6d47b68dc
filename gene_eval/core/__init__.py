"""Arrays in, numbers out: the probe, its metrics and engines. Knows no file, no Hub, no gene."""

from gene_eval.core.errors import ProbeError, UnknownNameError
from gene_eval.core.metrics import HIGHER_IS_BETTER, MAIN_METRIC, METRICS
from gene_eval.core.probe import ProbeResult, Score, probe
from gene_eval.core.splits import default_folds

__all__ = [
    "HIGHER_IS_BETTER",
    "MAIN_METRIC",
    "METRICS",
    "ProbeError",
    "ProbeResult",
    "Score",
    "UnknownNameError",
    "default_folds",
    "probe",
]
