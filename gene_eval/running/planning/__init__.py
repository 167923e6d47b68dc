"""What a run would do and what it would cost, before it is started."""

__all__: list[str] = []
