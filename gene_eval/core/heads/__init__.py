"""What is fitted to vectors, written with scikit-learn: the readable reference."""

__all__: list[str] = []
