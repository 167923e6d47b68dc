"""The only code that may write to the Hugging Face Hub.

`gene_eval` does not import it: the command line finds `push` by the entry point `gene_bench.commands`.
"""

__all__: list[str] = []
