"""What vectors give with few labels: k examples of each class, and learning curves."""

__all__: list[str] = []
