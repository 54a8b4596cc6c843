"""`hpoctl report` as a person uses it."""

import json

from command_line import CommandLine
from hpoctl.analysis.report_check import check_page


def test_a_report_in_the_present_folder(study: CommandLine) -> None:
    answer = study("report", "--tag", "t")
    assert answer.code == 0, answer.err
    page = (study.root.parent / "report-t.html").read_text(encoding="utf-8")
    checked = check_page(page)
    assert checked.wrong == ()
    count = f"{checked.numbers:,}"
    assert f"wrote report-t.html, {len(page.encode()) / 1000:.1f} kB; {count} of {count} numbers on it" in answer.out
    assert "* All 12 experiments that were asked for are complete." in answer.out
    assert "open report-t.html in any browser" in answer.err
    again = study("report", "--tag", "t", "--output", "again.html")
    assert again.code == 0
    assert (study.root.parent / "again.html").read_text(encoding="utf-8") == page


def test_filters_and_json(study: CommandLine) -> None:
    for path in study.root.glob("t/ASHA/t-toy-1-*/metadata.json"):
        path.write_text(path.read_text()[:-20])
    words = ("--benchmark", "toy", "--seed", "0-1", "--where", "n_workers>=1", "--method", "ASHA")
    answer = study("report", "--tag", "t", *words, "--json", "-o", "x.html")
    assert answer.code == 0, answer.err
    data = answer.json["data"]
    assert (data["path"], data["experiments"], data["tags"]) == ("x.html", 1, ["t"])
    assert data["summary"][1].startswith("toy: ASHA ends at ")
    assert [entry["kind"] for entry in data["skipped"]] == ["damaged"]
    assert "metadata.json is damaged" in study("report", "--tag", "t", *words).err


WRONG = [
    (("--tag", "t", "--output", "x.pdf"), 2, "x.pdf is no name of a web page."),
    (("--tag", "t", "--output", "no/x.html"), 2, "There is no folder no."),
    (("--tag", "t", "--method", "AHSA"), 2, "Tag t has no method 'AHSA'."),
    (("--tag", "t", "--where", "n_workers=99"), 3, "No complete experiment of t has n_workers=99."),
    (("--tag", "none"), 3, "There is nothing of tag none"),
    (("--tag", "n", "--json"), 3, "No experiment reported a finite value."),
]


def test_errors(cli: CommandLine) -> None:
    cli("run", "--method", "RS", "--benchmark", "toy", "--tag", "t", "--max-wallclock-time", "30")
    cli("run", "--method", "RS", "--benchmark", "toy-nan", "--tag", "n", "--max-wallclock-time", "30")
    for words, code, what in WRONG:
        answer = cli("report", *words)
        shown = json.loads(answer.out)["errors"][0]["what"] if "--json" in words else answer.err
        assert (answer.code, what in shown) == (code, True), (words, shown)
    assert not list(cli.root.parent.glob("*.html"))
