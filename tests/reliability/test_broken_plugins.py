"""Plugins that are broken in thirteen ways, all installed at once: sound ones work, broken ones are named."""

import json
from collections.abc import Iterator

import pytest

from toy_studies import ToyStudy, fast_folder

HEAD = "from hpoctl.plugins import Method, NoOptions, hookimpl\n"
AT_LOADING = {
    "needs-a-module": "import no_such_module_anywhere",
    "no-syntax": "def f(:\n",
    "exits": "raise SystemExit(3)",
    "prints": f"print('hello from a plugin')\n{HEAD}@hookimpl\ndef hpoctl_methods():\n    return ()\n",
    "raises-in-hook": f"{HEAD}@hookimpl\ndef hpoctl_methods():\n    raise KeyError('no licence')\n",
    "wrong-types": f"{HEAD}@hookimpl\ndef hpoctl_methods():\n    return ['ASHA']\n",
    "first-claimant": f"{HEAD}@hookimpl\ndef hpoctl_methods():\n"
    "    return [Method('SAME', '', 'toy', lambda context, options: None, NoOptions())]\n",
    "second-claimant": f"{HEAD}@hookimpl\ndef hpoctl_methods():\n"
    "    return [Method('SAME', '', 'toy', lambda context, options: None, NoOptions())]\n",
}
COMPLAINTS = {
    "needs-a-module": "ModuleNotFoundError",
    "no-syntax": "SyntaxError",
    "exits": "SystemExit: 3",
    "raises-in-hook": "KeyError: 'no licence'",
    "wrong-types": "item 0 is str, not Method",
    "first-claimant": "method 'SAME' is refused",
    "second-claimant": "method 'SAME' is refused",
}
AT_WORK = """
from dataclasses import replace

from hpoctl.builtins import RS
from hpoctl.plugins import ExtraResults, Study, hookimpl
from hpoctl.testing import toy_benchmark, toy_table


def bad_make(context, options):
    raise ValueError("cannot be made")


class Wrapped:
    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


class BadSuggest(Wrapped):
    def suggest(self, trial_id):
        raise ValueError("nothing to suggest")


class BadReport(Wrapped):
    def on_report(self, report):
        raise ValueError("will not hear of it")


class BadTable(Wrapped):
    def curve(self, config, seed):
        raise ValueError("the curve is gone")


class Composer:
    def keys(self):
        return ()

    def __call__(self, view):
        if view.method == "RS-COMPOSED":
            raise ValueError("nothing to add")
        return None


def no_table():
    raise ValueError("the table is gone")


def method(name, make):
    return replace(RS, name=name, make=make)


@hookimpl
def hpoctl_methods():
    yield method("RS-MADE", bad_make)
    yield method("RS-SUGGESTS", lambda context, options: BadSuggest(RS.make(context, options)))
    yield method("RS-HEARS", lambda context, options: BadReport(RS.make(context, options)))
    yield method("RS-COMPOSED", RS.make)


@hookimpl
def hpoctl_benchmarks():
    yield toy_benchmark(budget=600.0)
    yield replace(toy_benchmark(), name="toy-shut", blackbox=no_table)
    yield replace(toy_benchmark(), name="toy-torn", blackbox=lambda: BadTable(toy_table()))


@hookimpl
def hpoctl_extra_results():
    return [ExtraResults("composer", "Falls over", Composer)]


@hookimpl
def hpoctl_studies():
    methods = ("RS", "RS-MADE", "RS-SUGGESTS", "RS-HEARS", "RS-COMPOSED")
    yield Study("sound-and-broken", "", methods, ("toy", "toy-shut", "toy-torn"), extra_results=("composer",))
"""
REASONS = {
    "RS-MADE": "ValueError: cannot be made",
    "RS-SUGGESTS": "ValueError: nothing to suggest",
    "RS-HEARS": "ValueError: will not hear of it",
    "RS-COMPOSED": "ValueError: nothing to add",
}


@pytest.fixture(scope="module")
def study() -> Iterator[ToyStudy]:
    with fast_folder() as folder:
        made = ToyStudy(folder)
        made.install("at-work", AT_WORK)
        for name, source in AT_LOADING.items():
            made.install(name, source)
        yield made


def test_a_launch_completes_what_is_sound_and_records_why_the_rest_is_not(study: ToyStudy) -> None:
    answer = study.run("launch", "--study", "sound-and-broken", "--tag", "t", "--json", "--jobs", "2")
    assert answer.returncode == 1, answer.stderr
    data = json.loads(answer.stdout)["data"]
    assert (data["done"], data["wanted"], len(data["failures"])) == (1, 15, 14)
    status = study.status("t")
    totals = status["data"]["totals"]
    assert (totals["done"], totals["failed"], totals["missing"]) == (1, 14, 0)
    reasons = {(entry["method"], entry["benchmark"]): entry["reason"] for entry in status["data"]["failures"]}
    for method, reason in REASONS.items():
        assert reasons[method, "toy"] == reason
    for method in ("RS", *REASONS):
        assert "the table is gone" in reasons[method, "toy-shut"]
    assert reasons["RS", "toy-torn"] == "ValueError: the curve is gone"


def test_other_commands_work_and_name_each_broken_plugin(study: ToyStudy) -> None:
    for words in (("--help",), ("status",), ("methods",), ("benchmarks",), ("studies",)):
        answer = study.run(*words)
        assert answer.returncode in {0, 3}, (words, answer.stderr)
        assert "Traceback" not in answer.stdout + answer.stderr
    listed = study.run("plugins", "--json")
    assert listed.returncode == 0
    failures = {
        entry["origin"]["distribution"]: " ".join(entry["failures"])
        for entry in json.loads(listed.stdout)["data"]["plugins"]
    }
    for name, complaint in COMPLAINTS.items():
        assert complaint in failures[name]
    assert failures["prints"] == failures["at-work"] == ""
