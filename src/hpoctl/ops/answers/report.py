"""`hpoctl report`: one HTML file of one or several tags that opens anywhere, checked before it is written."""

from dataclasses import dataclass, field
from pathlib import Path

from hpoctl.analysis.comparison_model import CompareOptions
from hpoctl.analysis.report import report_page, summary
from hpoctl.analysis.report_check import check_page
from hpoctl.analysis.report_model import report_model
from hpoctl.analysis.shown import text_of
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.ops.answers.collect_report import collect_report
from hpoctl.ops.reading.read_columns import no_value
from hpoctl.ops.reading.results_of_tags import LoadRequest
from hpoctl.ops.reading.tag_contents import Skipped
from hpoctl.ops.reading.written_files import check_file, write_file

SUFFIXES = (".html", ".htm")


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a person asked `hpoctl report` for.

    Attributes:
        load: Which results.
        output: The file; None: `report-TAG.html` in the present folder.
        options: How methods are compared: the family and the margin of equivalence.
    """

    load: LoadRequest
    output: Path | None = None
    options: CompareOptions = field(default_factory=CompareOptions)


@dataclass(frozen=True, slots=True)
class StudyReport:
    """What was written.

    Attributes:
        path: The file.
        size: Its bytes.
        tags: The tags.
        experiments: How many experiments it is of.
        wanted: How many were asked for.
        numbers: How many numbers stand on it; each was computed again from the data in it.
        summary: What it says, a sentence each.
        skipped: What was not read.
    """

    path: str
    size: int
    tags: tuple[str, ...]
    experiments: int
    wanted: int
    numbers: int
    summary: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def write_report(request: ReportRequest) -> StudyReport:
    """Write the report; equal results give equal bytes.

    Raises:
        UsageError: A tag, filter, suffix or folder is wrong, or results do not go together.
        IncompleteError: There is nothing to report.
        HpoctlError: Results cannot be read, the file cannot be written, or the page would show a number that its
            data do not confirm.
    """
    output = request.output or Path(f"report-{'-'.join(dict.fromkeys(request.load.tags))}.html")
    if output.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{output} is no name of a web page.", "Use a name that ends in .html.")
    check_file(output)
    data, skipped = collect_report(request.load, request.options)
    if not any(len(each.trace.times) for each in data.experiments):
        raise no_value()
    model = report_model(data)
    page = report_page(data, model)
    checked = check_page(page)
    if checked.wrong:
        raise HpoctlError(
            f"{len(checked.wrong)} of {checked.numbers} numbers of the page are not what its data say, such as "
            f"{checked.wrong[0]}.",
            "Nothing was written; this is a fault of hpoctl, please report it.",
        )
    written = page.encode()
    write_file(output, written)
    return StudyReport(
        path=str(output),
        size=len(written),
        tags=data.tags,
        experiments=len(data.experiments),
        wanted=model.totals.wanted,
        numbers=checked.numbers,
        summary=tuple(text_of(sentence) for sentence in summary(data, model)),
        skipped=skipped,
    )
