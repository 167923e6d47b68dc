"""Readers of raw formats, with bounds: tables, pickles, FASTA."""

__all__: list[str] = []
