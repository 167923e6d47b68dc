"""What people see of results: text, pictures, the page."""

__all__: list[str] = []
