"""What goes to the Hub, as files on disk: cards and exports."""

__all__: list[str] = []
