"""Arrays in, numbers out: the probe, its metrics and engines. Knows no file, no Hub, no gene."""

from gene_eval.core.errors import ProbeError, UnknownNameError
from gene_eval.core.metrics import HIGHER_IS_BETTER, MAIN_METRIC, METRICS
from gene_eval.core.pairs import PairedRows
from gene_eval.core.probe import ProbeResult, Score, probe
from gene_eval.core.splits import Splits, default_folds
from gene_eval.core.table import TableRows, VectorTable

__all__ = [
    "HIGHER_IS_BETTER",
    "MAIN_METRIC",
    "METRICS",
    "PairedRows",
    "ProbeError",
    "ProbeResult",
    "Score",
    "Splits",
    "TableRows",
    "UnknownNameError",
    "VectorTable",
    "default_folds",
    "probe",
]
