"""A broken plugin is named, and everything else keeps working."""

import os
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from hpoctl import __version__
from hpoctl.core.errors import UsageError
from hpoctl.plugins import Method, NoOptions, PluginReport, Registry, hookimpl, load_registry

HEADER = """
from hpoctl.plugins import Method, NoOptions, Study, hookimpl

def method(name):
    return Method(name=name, summary="", kind="toy", make=lambda context, options: None, options=NoOptions())
"""
GOOD = f"""{HEADER}
@hookimpl
def hpoctl_methods():
    return [method("GOOD")]
"""


def builtin_methods(*names: str) -> object:
    """A built-in module with the given methods."""

    @hookimpl
    def hpoctl_methods() -> list[Method]:
        return [Method(name, "", "toy", lambda context, options: None, NoOptions()) for name in names]  # type: ignore[arg-type, return-value]

    return SimpleNamespace(__name__="core_module", hpoctl_methods=hpoctl_methods)


@dataclass(frozen=True)
class Case:
    """A broken plugin: its source, how far it gets, how each line of its report begins, which methods remain."""

    source: str
    state: str
    failures: tuple[str, ...]
    methods: tuple[str, ...] = ()
    entry_points: str | None = None


CASES = {
    "module that needs a missing module": Case(
        "import no_such_module_anywhere",
        "failed",
        (
            (
                "cannot be loaded: ModuleNotFoundError: No module named 'no_such_module_anywhere' "
                "(broken_module.py, line 1)"
            ),
        ),
    ),
    "syntax error": Case(
        "x = 1\ndef f(:\n", "failed", ("cannot be loaded: SyntaxError: invalid syntax (broken_module.py, line 2)",)
    ),
    "exit at import": Case(
        "import sys\nsys.exit(3)\n", "failed", ("cannot be loaded: SystemExit: 3 (broken_module.py, line 2)",)
    ),
    "exception at import": Case(
        "raise ValueError('no\\nlicence \\x1b[31m')",
        "failed",
        ("cannot be loaded: ValueError: no licence \\x1b[31m (broken_module.py, line 1)",),
    ),
    "exception that is no Exception": Case(
        "class Panic(BaseException): pass\nraise Panic()",
        "failed",
        ("cannot be loaded: Panic (broken_module.py, line 2)",),
    ),
    "exception whose message raises": Case(
        "class Odd(Exception):\n    def __str__(self): raise RuntimeError\nraise Odd",
        "failed",
        ("cannot be loaded: Odd: its message cannot be read (broken_module.py, line 3)",),
    ),
    "missing attribute": Case(
        HEADER,
        "failed",
        ("cannot be loaded: AttributeError: module 'broken_module' has no attribute 'plugin'",),
        entry_points="broken = broken_module:plugin",
    ),
    "entry point that is no address": Case(
        HEADER, "failed", ("cannot be loaded: ",), entry_points="broken = not an address"
    ),
    "nothing marked": Case(HEADER, "loaded", ("registers nothing: it has no function that is marked with @hookimpl",)),
    "None as plugin": Case(
        "plugin = None",
        "loaded",
        ("registers nothing: it has no function that is marked with @hookimpl",),
        entry_points="broken = broken_module:plugin",
    ),
    "hook that is not marked": Case(
        f"{HEADER}\ndef hpoctl_methods():\n    return [method('LOST')]\n",
        "loaded",
        ("hpoctl_methods: is not marked with @hookimpl",),
    ),
    "hook that raises": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return [method('KEPT')]\n"
        "@hookimpl\ndef hpoctl_studies():\n    return 1 / 0\n",
        "loaded",
        ("hpoctl_studies: ZeroDivisionError: division by zero (broken_module.py, line 12)",),
        ("KEPT",),
    ),
    "hook that exits": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    raise SystemExit\n",
        "loaded",
        ("hpoctl_methods: SystemExit (broken_module.py, line 9)",),
    ),
    "generator that raises half-way": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    yield method('KEPT')\n    raise OSError('disk')\n",
        "loaded",
        ("hpoctl_methods: OSError: disk (broken_module.py, line 10)",),
        ("KEPT",),
    ),
    "wrong type among right ones": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return [method('KEPT'), 'ASHA', method('ALSO')]\n",
        "loaded",
        ("hpoctl_methods: item 1 is str, not Method",),
        ("KEPT", "ALSO"),
    ),
    "entry of another kind": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_studies():\n    return [method('LOST')]\n",
        "loaded",
        ("hpoctl_studies: item 0 is Method, not Study",),
    ),
    "None instead of entries": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    pass\n",
        "loaded",
        ("hpoctl_methods: returned None, not an iterable of Method",),
    ),
    "one entry instead of several": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return method('LOST')\n",
        "loaded",
        ("hpoctl_methods: returned Method, not an iterable of Method",),
    ),
    "text instead of entries": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return 'ASHA'\n",
        "loaded",
        ("hpoctl_methods: returned str, not an iterable of Method",),
    ),
    "misspelt hook": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_method():\n    return [method('LOST')]\n"
        "@hookimpl\ndef hpoctl_methods():\n    return [method('KEPT')]\n",
        "loaded",
        ("hpoctl_method: is not a hook of hpoctl; did you mean hpoctl_methods?",),
        ("KEPT",),
    ),
    "hook with an argument": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods(registry):\n    return [method('LOST')]\n",
        "failed",
        ("cannot be registered: PluginValidationError: Plugin 'plugin' for hook 'hpoctl_methods'",),
    ),
    "wrapper": Case(
        f"{HEADER}\n@hookimpl(wrapper=True)\ndef hpoctl_methods():\n    return (yield)\n",
        "loaded",
        ("hpoctl_methods: is a wrapper, and hooks of hpoctl cannot be wrapped",),
    ),
    "entry with an invalid name": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    yield method('KEPT')\n    yield method('a b')\n",
        "loaded",
        ("hpoctl_methods: UsageError: 'a b' is not a method.",),
        ("KEPT",),
    ),
    "name of a built-in": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return [method('CORE'), method('KEPT')]\n",
        "loaded",
        (f"method 'CORE' is refused: hpoctl {__version__} (plugin core_module) registers it, too",),
        ("KEPT",),
    ),
    "name of a built-in in another case": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return [method('Core')]\n",
        "loaded",
        (
            (
                f"method 'Core' is refused: hpoctl {__version__} (plugin core_module) registers it, too; "
                "names may not differ in case alone from CORE"
            ),
        ),
    ),
    "one name twice": Case(
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return [method('TWICE'), method('TWICE')]\n",
        "loaded",
        ("method 'TWICE' is refused: it is registered twice",) * 2,
    ),
}


def report_of(registry: Registry, distribution: str) -> PluginReport:
    (report,) = [report for report in registry.plugins if report.distribution == distribution]
    return report


@pytest.mark.parametrize("kind", CASES)
def test_a_broken_plugin_is_named_and_the_rest_works(kind, install):
    case = CASES[kind]
    points = install("broken", case.source, entry_points=case.entry_points) + install("good", GOOD)
    registry = load_registry([builtin_methods("CORE")], points)

    report = report_of(registry, "broken")
    assert report.state == case.state
    assert report.origin.version == "1.0"
    assert report.origin.entry_point == "broken"
    assert len(report.failures) == len(case.failures)
    for found, wanted in zip(report.failures, case.failures, strict=True):
        assert found.startswith(wanted)
        assert "\n" not in found
        assert found.isprintable()
    assert report.registers.get("methods", ()) == case.methods

    assert list(registry.methods) == ["CORE", *case.methods, "GOOD"]
    assert registry.methods["CORE"].origin.built_in
    assert report_of(registry, "good").failures == ()
    assert registry.method("GOOD").name == "GOOD"


def test_a_name_of_two_plugins_belongs_to_nobody(install):
    source = f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return [method('SAME'), method('%s')]\n"
    points = install("beta", source % "B", version="2.0") + install("alpha", source % "A")
    registry = load_registry([], points)

    assert list(registry.methods) == ["A", "B"]
    assert report_of(registry, "alpha").failures == (
        "method 'SAME' is refused: beta 2.0 (plugin beta) registers it, too",
    )
    assert report_of(registry, "beta").failures == (
        "method 'SAME' is refused: alpha 1.0 (plugin alpha) registers it, too",
    )
    with pytest.raises(UsageError) as caught:
        registry.method("SAME")
    assert caught.value.what == (
        "The method 'SAME' is registered more than once: by alpha 1.0 (plugin alpha) and beta 2.0 (plugin beta)."
    )
    assert "HPOCTL_PLUGINS" in caught.value.fix
    with pytest.raises(UsageError, match="Unknown study 'SAME'"):
        registry.study("SAME")


def test_names_of_two_plugins_that_differ_in_case_alone_belong_to_nobody(install):
    source = f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return [method('%s')]\n"
    registry = load_registry([], install("alpha", source % "Tpe") + install("beta", source % "TPE"))

    assert not registry.methods
    assert "names may not differ in case alone from TPE" in report_of(registry, "alpha").failures[0]
    for name in ("Tpe", "TPE"):
        with pytest.raises(UsageError, match=r"alpha 1\.0 .* and beta 1\.0"):
            registry.method(name)


def test_the_same_name_may_be_used_for_a_method_and_a_study(install):
    source = (
        f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return [method('same')]\n"
        "@hookimpl\ndef hpoctl_studies():\n    return [Study('same', '', ('same',), ('toy',))]\n"
    )
    registry = load_registry([], install("alpha", source))
    assert registry.plugins[0].registers == {"methods": ("same",), "studies": ("same",)}
    assert registry.study("same").methods == (registry.method("same").name,)


def test_a_failure_names_the_line_of_the_plugin_not_of_the_library_it_calls(install):
    source = f"{HEADER}\n@hookimpl\ndef hpoctl_methods():\n    return [method('a b')]\n"
    report = load_registry([], install("broken", source)).plugins[0]
    assert report.failures[0].endswith(" (broken_module.py, line 5)")


def test_a_failure_of_the_import_itself_names_no_line(install):
    points = install("broken", "", entry_points="broken = broken_module:plugin")
    report = load_registry([], points).plugins[0]
    assert report.failures == ("cannot be loaded: AttributeError: module 'broken_module' has no attribute 'plugin'",)


def test_ctrl_c_is_not_swallowed(install):
    points = install("broken", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_registry([], points)


def test_what_a_plugin_prints_stays_off_standard_output(install, capsys):
    source = f"print('hello')\n{GOOD}".replace("    return [", "    print('again')\n    return [")
    registry = load_registry([], install("chatty", source))
    assert registry.method("GOOD").name == "GOOD"
    assert capsys.readouterr() == ("", "hello\nagain\n")


def test_what_a_plugin_writes_to_the_descriptor_stays_off_standard_output(install, capfd):
    raw = "import os, subprocess, sys\nos.write(1, b'raw ')\nsubprocess.run(['echo', 'child'], check=True)\n"
    registry = load_registry([], install("chatty", raw + GOOD))
    os.write(1, b"the command's own\n")
    assert registry.method("GOOD").name == "GOOD"
    assert capfd.readouterr() == ("the command's own\n", "raw child\n")


def test_an_unknown_name_gets_close_matches_and_the_failed_plugin(install):
    working = load_registry([], install("good", GOOD))
    with pytest.raises(UsageError) as caught:
        working.method("god")
    assert caught.value.what == "Unknown method 'god'."
    assert caught.value.fix == "Did you mean GOOD? `hpoctl methods` lists all of them."

    damaged = load_registry([builtin_methods("RS")], install("broken", "import no_such_module_anywhere"))
    with pytest.raises(UsageError) as caught:
        damaged.method("LOST")
    assert "A plugin has failed: `hpoctl plugins` says why." in caught.value.fix


def test_names_are_case_sensitive(install):
    registry = load_registry([], install("good", GOOD))
    with pytest.raises(UsageError, match="Did you mean GOOD"):
        registry.method("good")
