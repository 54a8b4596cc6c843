"""The Typer application: its commands, and the one place where errors become exit codes."""

import os
import sys
from typing import Annotated

import typer

from hpoctl import __version__
from hpoctl.cli.blackbox import blackbox_app
from hpoctl.cli.clean import clean
from hpoctl.cli.compare import compare
from hpoctl.cli.doctor import doctor
from hpoctl.cli.exchange import export, import_results
from hpoctl.cli.launch import launch
from hpoctl.cli.listing import benchmarks, methods, plugins
from hpoctl.cli.logs import logs
from hpoctl.cli.output import emit_json, err, error_json, show_error
from hpoctl.cli.plot import plot
from hpoctl.cli.report import report
from hpoctl.cli.run import run
from hpoctl.cli.status import status
from hpoctl.cli.stop import stop
from hpoctl.cli.studies import studies_app
from hpoctl.cli.sync import sync
from hpoctl.core.errors import HpoctlError

INTERRUPTED = 130

app = typer.Typer(
    name="hpoctl",
    help="Run, repeat and compare studies of hyperparameter optimization.",
    epilog="Exit codes: 0 done; 1 some experiments failed; 2 wrong usage; 3 nothing to act on or incomplete input; "
    "130 interrupted with state saved.",
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


app.command()(run)
app.command()(launch)
app.command()(status)
app.command()(compare)
app.command()(plot)
app.command()(report)
app.command()(export)
app.command(name="import")(import_results)
app.command()(sync)
app.command()(stop)
app.command()(clean)
app.command()(logs)
app.command()(methods)
app.command()(benchmarks)
app.add_typer(studies_app, name="studies")
app.add_typer(blackbox_app, name="blackbox")
app.command()(plugins)
app.command()(doctor)


def run_app() -> None:
    """Run the command line; an error is two lines and an exit code, a traceback only with --debug."""
    try:
        app()
    except HpoctlError as error:
        if "--debug" in sys.argv:
            raise
        if "--json" in sys.argv:
            command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
            emit_json(command, "error", {}, [error_json(error)])
        else:
            show_error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        err().print("interrupted", style="bold yellow")
        sys.exit(INTERRUPTED)
