"""`python -m hpoctl` and the `hpoctl` command."""


def main() -> None:
    """Run the command line."""
    from hpoctl.cli.app import run_app  # noqa: PLC0415 - nothing is imported before it is needed

    run_app()


if __name__ == "__main__":
    main()
