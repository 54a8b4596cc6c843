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
from hpoctl.ops.reading.load_traces import counted, modelled_benchmarks
from hpoctl.ops.reading.read_columns import DECISION, STATUS, TRIAL, Columns, Measured, measured, resource_column
from hpoctl.ops.reading.results_of_tags import LoadRequest, TagResults, find_results, nothing_complete
from hpoctl.ops.reading.tag_contents import FoundResult, Skipped, results_of
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
    tag, cell = _the_one(results, output)
    skipped = [entry for each in results for entry in each.skipped]
    for about, resource, curves in counted(tag, lambda found: _read(tag, found), skipped):
        notes = _notes(curves, modelled=bool(modelled_benchmarks((tag,))))
        if output is not None and kind is not None:
            title = f"{tag.tag}: {cell.method} on {cell.benchmark}, seed {cell.seed}"
            picture = TrialCurvesPicture(title, about.metric, resource, curves, notes)
            write_file(output, draw_trial_curves(picture, kind))
        return PlottedCurves(
            path=None if output is None else str(output),
            tag=tag.tag,
            cell=cell,
            metric=about.metric,
            resource=resource,
            curves=curves,
            levels=level_counts(curves),
            notes=notes,
            skipped=tuple(skipped),
        )
    raise nothing_complete(results, skipped)


def _the_one(results: Sequence[TagResults], output: Path | None) -> tuple[TagResults, Cell]:
    every = [(tag, cell) for tag in results for cell in tag.candidates]
    if not every:
        raise nothing_complete(results, [entry for tag in results for entry in tag.skipped])
    if len(every) > 1:
        tag, cell = every[0]
        words = ["--tag", tag.tag, "--method", cell.method, "--benchmark", cell.benchmark, "--seed", str(cell.seed)]
        command = tag.root.command("plot", "--kind", "curves", *words, "--output", str(output or "curves.png"))
        raise UsageError(f"--kind curves draws one experiment, and {len(every)} fit.", f"Name one: `{command}`.")
    return every[0]


def _read(tag: TagResults, found: FoundResult) -> tuple[Measured, str, TrialCurves]:
    where = tag.root.store.location(found.attempt.directory)
    about = measured(found, where)
    resource = resource_column(about, where)
    columns = Columns(results_of(tag.root, found), where)
    trial_ids, resources = columns.whole(TRIAL, resource)
    (values,) = columns.floats(about.metric)
    decisions, completed = columns.words(DECISION), columns.words(STATUS) == "Completed"
    if not len(trial_ids):
        raise IncompleteError(f"{where} has no rows.", "Name another experiment.")
    return about, resource, trial_curves(trial_ids, resources, values, decisions, completed, about.mode)


def _notes(curves: TrialCurves, *, modelled: bool) -> tuple[str, ...]:
    notes = [f"{curves.count:,} trials."]
    bad = int(np.count_nonzero(~np.isfinite(curves.values)))
    if bad:
        notes.append(f"{bad:,} values are not finite: they are gaps.")
    if modelled:
        notes.append("Modelled curves, not measured ones.")
    return tuple(notes)
