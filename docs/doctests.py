"""Examples in docstrings (`>>> ...`) are shown as code, wherever they stand."""

import re
from typing import Any

import griffe


class Doctests(griffe.Extension):
    """Puts a fence around each paragraph that begins with a prompt."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called for everything that is read; a docstring is parsed only later."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(
                r"(^|\n\n)(>>> .*?)(?=\n\n|$)", r"\1```pycon\n\2\n```", obj.docstring.value, flags=re.DOTALL
            )
