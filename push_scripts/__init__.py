"""The only code that may write to the Hugging Face Hub."""

__all__: list[str] = []
