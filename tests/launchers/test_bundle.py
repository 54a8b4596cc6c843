"""Bundles: the same files give the same bytes, and their content runs without the packages of this environment."""

import io
import os
import subprocess
import sys
import zipfile
from importlib.metadata import PathDistribution, distribution
from pathlib import Path

import pytest

from hpoctl.core.errors import HpoctlError
from hpoctl.launchers import unpack
from hpoctl.launchers.bundle import bundled_selection, make_bundle, upload
from hpoctl.launchers.wheels import is_local, wheel_of
from hpoctl.stores.local import LocalStore
from support import write_distribution

OWN_FILES = {"entry.py": b"print('a job')\n"}
STUDY = """
from hpoctl.plugins import Study, hookimpl

WORD = "here"


@hookimpl
def hpoctl_studies():
    return [Study("extra", "", ("RS",), ("toy",), num_seeds=1)]
"""
LAUNCHER = """
from hpoctl.core.options import NoOptions
from hpoctl.plugins import LauncherEntry, hookimpl


@hookimpl
def hpoctl_launchers():
    return [LauncherEntry("far", "", lambda options: None, NoOptions())]
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python finds distributions in: `extra-study` registers a study, `far-launcher` a launcher."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    info = write_distribution(folder, "extra-study", STUDY)
    write_distribution(folder, "far-launcher", LAUNCHER)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra-study\nVersion: 1.0\nRequires-Dist: pluggy\n")
    monkeypatch.syspath_prepend(str(folder))
    for name in ("extra_study_module", "far_launcher_module"):
        monkeypatch.delitem(sys.modules, name, raising=False)  # another test's
    monkeypatch.setenv("HPOCTL_PLUGINS", "extra-study,far-launcher")
    return folder


def test_equal_files_give_equal_bytes(plugins: Path) -> None:
    one = make_bundle(OWN_FILES)
    module = plugins / "extra_study_module.py"
    os.utime(module, (1e9, 1e9))
    (plugins / "__pycache__").mkdir(exist_ok=True)
    assert make_bundle(OWN_FILES).files == one.files
    module.write_text(STUDY.replace("here", "there"))
    assert make_bundle(OWN_FILES).folder != one.folder
    assert make_bundle(OWN_FILES, extra="tqdm\n").folder != make_bundle(OWN_FILES).folder


def test_contents(plugins: Path) -> None:
    files = make_bundle(OWN_FILES, ["hpoctl[aws]"], "tqdm\n").files
    names = [name for name in files if name.endswith(".whl")]
    assert names == [
        f"wheels/{name}-py3-none-any.whl" for name in ("extra_study-1.0", f"hpoctl-{distribution('hpoctl').version}")
    ]
    lock = files["requirements.txt"].decode().splitlines()
    assert f"numpy=={distribution('numpy').version}" in lock
    assert f"boto3=={distribution('boto3').version}" in lock
    assert not [line for line in lock if line.startswith(("hpoctl", "extra", "far", "pytest"))]
    assert files["extra.txt"] == b"tqdm\n"
    assert files["entry.py"] == OWN_FILES["entry.py"]
    assert b"boto3" not in make_bundle(OWN_FILES).files["requirements.txt"]
    with zipfile.ZipFile(io.BytesIO(files[names[1]])) as archive:
        inside = archive.namelist()
        assert archive.testzip() is None
    assert "hpoctl/ops/running/job.py" in inside
    assert not [name for name in inside if "__pycache__" in name or name.endswith("direct_url.json")]
    assert any(name.endswith("RECORD") for name in inside)


def test_jobs_load_the_plugins_that_the_bundle_has(plugins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundled_selection() == "extra-study"
    monkeypatch.setenv("HPOCTL_PLUGINS", "far-launcher")
    assert bundled_selection() == ""
    monkeypatch.delenv("HPOCTL_PLUGINS")
    assert bundled_selection() is None


def test_a_machine_installs_a_bundle(plugins: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    for name, data in make_bundle(OWN_FILES).files.items():
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_bytes(data)
    said: list[bytes] = []
    unpack.install(bundle, tmp_path / "site", said.append)
    assert said == []  # all libraries are there in the right version
    assert (tmp_path / "site" / "extra_study_module.py").read_text() == STUDY
    assert (tmp_path / "site" / "hpoctl" / "__init__.py").exists()


def test_pip_installs_the_wheels(plugins: Path, tmp_path: Path) -> None:
    wheel = wheel_of(distribution("extra-study"))
    (tmp_path / wheel.name).write_bytes(wheel.data)
    words = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--target",
        str(tmp_path / "site"),
    ]
    subprocess.run([*words, str(tmp_path / wheel.name)], check=True)
    found = PathDistribution(tmp_path / "site" / "extra_study-1.0.dist-info")
    assert [point.name for point in found.entry_points] == ["extra-study"]
    assert (tmp_path / "site" / "extra_study_module.py").read_text() == STUDY


def test_wheel_of_what_an_installer_has_written() -> None:
    wheel = wheel_of(distribution("pluggy"))
    with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
        assert "pluggy/__init__.py" in archive.namelist()
    assert not is_local(distribution("pluggy"))
    assert is_local(distribution("hpoctl")) == ("file:" in (distribution("hpoctl").read_text("direct_url.json") or ""))


def test_files_that_cannot_be_found(tmp_path: Path) -> None:
    info = write_distribution(tmp_path, "gone-away", "")
    with pytest.raises(HpoctlError, match=r"The files of gone-away .* cannot be found"):
        wheel_of(PathDistribution(info))


def test_a_requirement_that_is_missing(plugins: Path) -> None:
    metadata = "Metadata-Version: 2.1\nName: extra-study\nVersion: 1.0\nRequires-Dist: no-such-library\n"
    (plugins / "extra_study-1.0.dist-info" / "METADATA").write_text(metadata)
    with pytest.raises(HpoctlError, match="extra-study requires no-such-library, which is not installed here"):
        make_bundle(OWN_FILES)


def test_upload_once(plugins: Path, tmp_path: Path) -> None:
    store, bundle = LocalStore(tmp_path / "results"), make_bundle(OWN_FILES)
    address = upload(store, bundle)
    assert address == store.location(bundle.folder)
    kept = {name: (store.get(f"{bundle.folder}/{name}"), _time(tmp_path, bundle.folder, name)) for name in bundle.files}
    assert {name: data for name, (data, _) in kept.items()} == bundle.files
    (tmp_path / "results" / bundle.folder / "entry.py").write_bytes(b"half")
    upload(store, bundle)
    assert store.get(f"{bundle.folder}/entry.py") == bundle.files["entry.py"]
    lock = "requirements.txt"
    assert _time(tmp_path, bundle.folder, lock) == kept[lock][1]


def _time(folder: Path, bundle: str, name: str) -> int:
    return (folder / "results" / bundle / name).stat().st_mtime_ns
