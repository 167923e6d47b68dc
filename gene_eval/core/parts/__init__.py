"""Tasks whose rows were published in parts: fitted on one, tuned on another, scored on the third."""

__all__: list[str] = []
