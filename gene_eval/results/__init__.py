"""Result files: their fields, folders of them, and the command that makes one again."""

__all__: list[str] = []
