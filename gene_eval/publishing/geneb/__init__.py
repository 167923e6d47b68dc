"""GENEB's forms: its submission file, written and read, and tables of its published scores."""

__all__: list[str] = []
