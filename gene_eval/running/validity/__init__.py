"""What else could explain a score: power of tasks, bias by study depth, leaks."""

__all__: list[str] = []
