"""What goes where, and what happens when nobody reads it."""

import subprocess

from command_line import CommandLine


def test_a_reader_that_goes_away_does_not_end_a_launch(cli: CommandLine) -> None:
    words = ("launch", "--study", "toys", "--tag", "quiet", "--num-seeds", "3")
    process = subprocess.Popen(
        cli.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cli.root.parent, env=cli.environment
    )
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    assert process.wait(60) == 0
    answer = cli("status", "--tag", "quiet", "--json")
    assert answer.code == 0
    totals = answer.json["data"]["totals"]
    assert totals["done"] == totals["wanted"] == 12
