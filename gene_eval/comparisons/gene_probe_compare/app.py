"""The Space's page: a form to try the comparison on a few rows."""

from pathlib import Path

import evaluate
from evaluate.utils import launch_gradio_widget

launch_gradio_widget(evaluate.load(str(Path(__file__).with_name("gene_probe_compare.py"))))
