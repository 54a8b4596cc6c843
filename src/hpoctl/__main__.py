"""`python -m hpoctl` and the `hpoctl` command."""

import os

from hpoctl.core.machine import BLAS_THREADS


def main() -> None:
    """Run the command line, or answer a shell that completes one."""
    # Nothing is imported before it is needed: `hpoctl.cli.app` imports Typer.
    if instruction := os.environ.get("_HPOCTL_COMPLETE"):
        from hpoctl.cli.completion import answer  # noqa: PLC0415

        if answer(instruction):
            return
    for name in BLAS_THREADS:
        # Before numpy is imported: on matrices as small as ours a second thread costs time and gains none.
        os.environ.setdefault(name, "1")
    from hpoctl.cli.app import run_app  # noqa: PLC0415

    run_app()


if __name__ == "__main__":
    main()
