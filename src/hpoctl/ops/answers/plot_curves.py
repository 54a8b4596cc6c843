"""`hpoctl plot --kind curves`: the learning curves of one experiment."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hpoctl.analysis.drawing import figure_format
from hpoctl.analysis.trial_curves import LevelCount, TrialCurves, level_counts, trial_curves
from hpoctl.analysis.trial_curves_figure import TrialCurvesPicture, draw_trial_curves
from hpoctl.core.cells import Cell
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.ops.reading.load_traces import modelled_benchmarks
from hpoctl.ops.reading.read_columns import DECISION, STATUS, TRIAL, Measured, columns_of, measured
from hpoctl.ops.reading.results_of_tags import LoadRequest, find_results, read_each
from hpoctl.ops.reading.tag_contents import FoundResult, Skipped
from hpoctl.ops.reading.written_files import check_file, write_file


@dataclass(frozen=True, eq=False)
class PlottedCurves:
    """What was drawn.

    Attributes:
        path: The file; None: none was asked for.
        tag: The tag.
        cell: The experiment.
        metric: The metric.
        resource: The resource.
        curves: The rows of its trials.
        levels: What happened at each rung level, from the lowest up.
        notes: What a person should know.
        skipped: What was not read.
    """

    path: str | None
    tag: str
    cell: Cell
    metric: str
    resource: str
    curves: TrialCurves
    levels: tuple[LevelCount, ...]
    notes: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def plot_curves(load: LoadRequest, output: Path | None) -> PlottedCurves:
    """Draw the learning curves of the one experiment that fits; the same rows give the same file.

    Args:
        load: Which experiment.
        output: The file; its suffix says the format; None: no file.

    Raises:
        UsageError: Several experiments fit, or a tag, filter, format or folder is wrong, or matplotlib is missing.
        IncompleteError: No completed experiment fits, or its rows cannot be read.
        HpoctlError: Results cannot be read, or the file cannot be written.
    """
    kind = None
    if output is not None:
        kind = figure_format(output)
        check_file(output)
    results = find_results(load)
    newest = [found for tag in results for found in tag.newest]
    if len(newest) > 1:
        raise _several(newest, output)
    ((about, resource, curves),), skipped = read_each(results, _read)
    tag, cell = newest[0].tag, newest[0].cell
    notes = _notes(curves, modelled=bool(modelled_benchmarks(newest)))
    if output is not None and kind is not None:
        title = f"{tag}: {cell.method} on {cell.benchmark}, seed {cell.seed}"
        picture = TrialCurvesPicture(title, about.metric, resource, curves, notes)
        write_file(output, draw_trial_curves(picture, kind))
    return PlottedCurves(
        path=None if output is None else str(output),
        tag=tag,
        cell=cell,
        metric=about.metric,
        resource=resource,
        curves=curves,
        levels=level_counts(curves),
        notes=notes,
        skipped=tuple(skipped),
    )


def _several(found: Sequence[FoundResult], output: Path | None) -> UsageError:
    first = found[0]
    cell = first.cell
    words = ["--tag", first.tag, "--method", cell.method, "--benchmark", cell.benchmark, "--seed", str(cell.seed)]
    command = first.root.command("plot", "--kind", "curves", *words, "--output", str(output or "curves.png"))
    return UsageError(f"--kind curves draws one experiment, and {len(found)} fit.", f"Name one: `{command}`.")


def _read(found: FoundResult) -> tuple[Measured, str, TrialCurves]:
    about = measured(found)
    resource = about.resource_column
    columns = columns_of(found)
    trial_ids, resources = columns.whole(TRIAL, resource)
    (values,) = columns.floats(about.metric)
    decisions, completed = columns.words(DECISION), columns.words(STATUS) == "Completed"
    if not len(trial_ids):
        raise IncompleteError(f"{about.where} has no rows.", "Name another experiment.")
    return about, resource, trial_curves(trial_ids, resources, values, decisions, completed, about.mode)


def _notes(curves: TrialCurves, *, modelled: bool) -> tuple[str, ...]:
    notes = [f"{curves.count:,} trials."]
    bad = int(np.count_nonzero(~np.isfinite(curves.values)))
    if bad:
        notes.append(f"{bad:,} values are not finite: they are gaps.")
    if modelled:
        notes.append("Modelled curves, not measured ones.")
    return tuple(notes)
