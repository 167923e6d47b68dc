"""`python -m gene_eval` is `gene-bench`."""

import sys

from gene_eval.cli import main

if __name__ == "__main__":
    sys.exit(main())
