"""What else could explain a score: what vectors add to covariates, and scores of permuted labels."""

__all__: list[str] = []
