import importlib.util
import sys
from pathlib import Path

# Test folders are not packages.
_spec = importlib.util.spec_from_file_location("made_results", Path(__file__).with_name("made_results.py"))
assert _spec is not None
assert _spec.loader is not None
sys.modules["made_results"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules["made_results"])
