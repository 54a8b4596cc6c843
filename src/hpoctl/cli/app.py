"""The Typer application, and the one place where errors become exit codes."""

import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from hpoctl import __version__
from hpoctl.cli.commands import Commands
from hpoctl.cli.errors import is_help, parser_error
from hpoctl.cli.output import emit_json, err, error_json, show_error
from hpoctl.cli.streams import guard_streams, output_error
from hpoctl.core.errors import FAILED, INTERRUPTED, HpoctlError, OutputError, UsageError
from hpoctl.core.machine import leave

app = typer.Typer(
    name="hpoctl",
    cls=Commands,
    help="Run, repeat and compare studies of hyperparameter optimization.",
    epilog="Exit codes: 0 done; 1 some experiments failed; 2 wrong usage; 3 nothing to act on or incomplete input; "
    "4 unforeseen error; 5 done, but the output could not be written; 130 interrupted with state saved.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hpoctl {__version__}")
        raise typer.Exit


@app.callback()
def hpoctl(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Run, repeat and compare studies of hyperparameter optimization."""


def run_app() -> None:
    """Run the command line and exit. An error is two lines and an exit code, a traceback only with --debug."""
    guard_streams()
    code = run_words()
    unwritten = output_error()
    if unwritten is not None:
        lost = OutputError(
            f"Standard output cannot be written: {unwritten.strerror or unwritten}.",
            "Make room for the output or send it elsewhere, and repeat the command; its work is not done twice.",
        )
        show_error(lost)
        code = code or lost.exit_code
    leave(code)


def run_words() -> int:
    """Run the command that `sys.argv` names; returns its exit code. Errors are shown, none is raised."""
    try:
        _check_folder()
        if set(sys.argv[1:2]) & COMPUTES:
            _check_memory_limit()
        return _call()
    except KeyboardInterrupt:
        err().print("interrupted", style="bold yellow")
        return INTERRUPTED
    except HpoctlError as error:
        return _tell(error)
    except Exception as error:  # noqa: BLE001 - nothing that was not foreseen may end in a traceback
        from hpoctl.cli.errors import unforeseen

        return _tell(unforeseen(error))


def _call() -> int:
    """Parse the command line and run the command; returns the exit code.

    Raises:
        HpoctlError: The parser refuses the words, or the command has failed.
    """
    try:
        code = app(prog_name="hpoctl", standalone_mode=False)
    except typer.TyperException as error:
        if is_help(error):
            return error.exit_code
        raise parser_error(error) from None
    except typer.Abort:
        err().print("nothing was done", style="bold yellow")
        return FAILED
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return code if isinstance(code, int) else 0


COMPUTES = frozenset({"run", "why", "compare", "plot", "report"})
"""The commands that compute in this process."""


def _check_memory_limit() -> None:
    """Refuse a limit of memory below which numerical libraries would hang.

    Raises:
        HpoctlError: There is one.
    """
    from hpoctl.ops.running.memory_limit import check_memory_limit

    check_memory_limit()


def _check_folder() -> None:
    """Refuse a working folder that has been deleted: relative paths mean nothing in it.

    Raises:
        UsageError: It has been deleted, or cannot be read.
    """
    try:
        Path.cwd()
    except OSError as error:
        what = f"The working folder cannot be used: {error.strerror or error}."
        raise UsageError(what, "Change to a folder that exists, such as with `cd ~`.") from error


def _tell(error: HpoctlError) -> int:
    """Show an error as the command's options ask for it; returns its exit code."""
    if "--debug" in sys.argv:
        traceback.print_exception(error)
    elif "--json" in sys.argv:
        command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
        emit_json(command, "error", {}, [error_json(error)])
    else:
        show_error(error)
    return error.exit_code
