"""Which plugins are found and loaded, and in which order."""

from pathlib import Path

import pytest

from hpoctl.core.errors import UsageError
from hpoctl.plugins import load_registry

SOURCE = """
from hpoctl.plugins import Study, hookimpl

@hookimpl
def hpoctl_studies():
    return [Study({name!r}, "", ("RS",), ("toy",))]
"""


@pytest.fixture
def three(install, monkeypatch):
    """Three installed plugins, two of them of one distribution; no other plugin is loaded."""
    for name in ("one", "two"):
        install(f"zeta-{name}", SOURCE.format(name=name), entry_points="")
    install("Zeta", "", entry_points="b_second = zeta_one_module\na_first = zeta_two_module", version="3.1")
    install("alpha", SOURCE.format(name="three"))
    monkeypatch.setenv("HPOCTL_PLUGINS", "alpha,a_first,b_second")


def found(registry):
    return [
        (str(report.origin), report.origin.entry_point, report.state)
        for report in registry.plugins
        if report.distribution in {"alpha", "Zeta"}
    ]


def test_installed_plugins_are_loaded_in_order_of_distribution_and_entry_point(three):
    registry = load_registry([])
    assert found(registry) == [
        ("alpha 1.0", "alpha", "loaded"),
        ("Zeta 3.1", "a_first", "loaded"),
        ("Zeta 3.1", "b_second", "loaded"),
    ]
    assert list(registry.studies) == ["three", "two", "one"]
    assert registry.studies["one"].origin.target == "zeta_one_module"


def test_plugins_are_imported_in_the_same_order(install, capsys):
    points = [*install("two", "print(2)"), *install("one", "print(1)"), *install("Three", "print(3)")]
    registry = load_registry([], points)
    assert [report.distribution for report in registry.plugins] == ["one", "Three", "two"]
    assert capsys.readouterr().err == "1\n3\n2\n"


def test_the_environment_selects_plugins_and_the_others_are_not_even_imported(three, install, monkeypatch):
    install("killer", "import os\nos._exit(9)")
    monkeypatch.setenv("HPOCTL_PLUGINS", " b_second ,alpha")
    registry = load_registry([])
    assert list(registry.studies) == ["three", "one"]
    states = {report.origin.entry_point: report.state for report in registry.plugins}
    assert states["killer"] == states["a_first"] == "skipped"
    assert states["alpha"] == "loaded"
    assert all(not report.failures for report in registry.plugins)


def test_an_empty_selection_loads_no_plugin(three, monkeypatch):
    monkeypatch.setenv("HPOCTL_PLUGINS", "")
    registry = load_registry([])
    assert not registry.studies
    assert {report.state for report in registry.plugins} == {"skipped"}


def test_a_mistyped_selection_is_an_error(three, monkeypatch):
    monkeypatch.setenv("HPOCTL_PLUGINS", "alpah")
    with pytest.raises(UsageError) as caught:
        load_registry([])
    assert caught.value.what == "HPOCTL_PLUGINS names the plugin 'alpah'."
    assert "alpha" in caught.value.fix


def test_damaged_metadata_of_one_distribution_does_not_hide_the_others(three, install, tmp_path: Path):
    install("damaged", "")
    info = tmp_path / "damaged-1.0.dist-info"
    (info / "entry_points.txt").write_bytes(b"[hpoctl]\nx = \xff\xfe\n")
    registry = load_registry([])
    (report,) = [report for report in registry.plugins if report.distribution == "damaged"]
    assert report.state == "failed"
    assert report.failures[0].startswith("its entry points cannot be read: UnicodeDecodeError")
    assert list(registry.studies) == ["three", "two", "one"]


def test_distributions_without_metadata_are_unknown_but_work(three, tmp_path: Path):
    for name in ("alpha-1.0", "Zeta-3.1"):
        (tmp_path / f"{name}.dist-info" / "METADATA").unlink()
    registry = load_registry([])
    assert {name: str(study.origin) for name, study in registry.studies.items()} == dict.fromkeys(
        ("one", "two", "three"), "unknown unknown"
    )


def test_of_two_copies_of_a_distribution_the_first_on_the_path_counts(three, tmp_path: Path, monkeypatch):
    earlier = tmp_path / "earlier"
    info = earlier / "alpha-9.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Alpha\nVersion: 9.0\n")
    (info / "entry_points.txt").write_text("[hpoctl]\nalpha = alpha_module\n")
    monkeypatch.syspath_prepend(earlier)
    registry = load_registry([])
    assert registry.studies["three"].origin.version == "9.0"
    assert not [report for report in registry.plugins if report.failures]
