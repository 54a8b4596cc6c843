"""`python -m hpoctl` and the `hpoctl` command."""

import os

from hpoctl.core.threads import BLAS_THREADS


def main() -> None:
    """Run the command line."""
    for name in BLAS_THREADS:
        # Before numpy is imported: on matrices as small as ours a second thread costs time and gains none.
        os.environ.setdefault(name, "1")
    from hpoctl.cli.app import run_app  # noqa: PLC0415 - nothing is imported before it is needed

    run_app()


if __name__ == "__main__":
    main()
