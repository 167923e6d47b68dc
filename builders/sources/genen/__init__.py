"""The tasks of Genen, from its authors' files, and those of DeepLoc, from which two of them come."""

__all__: list[str] = []
