"""Bundles: the same files give the same bytes, and what is in them runs without what is installed here."""

import io
import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import PathDistribution, distribution
from pathlib import Path

import pytest

from hpoctl.core.errors import HpoctlError
from hpoctl.launchers import container
from hpoctl.launchers.bundle import make_bundle, upload
from hpoctl.launchers.wheels import is_local, wheel_of
from hpoctl.stores.local import LocalStore
from support import write_distribution


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python finds distributions in; of the plugins only `extra-method` is loaded."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    info = write_distribution(folder, "extra-method", "WORD = 'here'\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra-method\nVersion: 1.0\nRequires-Dist: pluggy\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "extra_method_module", raising=False)  # another test's
    monkeypatch.setenv("HPOCTL_PLUGINS", "extra-method")
    return folder


def test_equal_files_give_equal_bytes(plugins: Path) -> None:
    one = make_bundle()
    module = plugins / "extra_method_module.py"
    os.utime(module, (1e9, 1e9))
    (plugins / "__pycache__").mkdir(exist_ok=True)
    assert make_bundle().files == one.files
    module.write_text("WORD = 'there'\n")
    assert make_bundle().folder != one.folder
    assert make_bundle("tqdm\n").folder != make_bundle().folder


def test_contents(plugins: Path) -> None:
    files = make_bundle("tqdm\n").files
    names = [name for name in files if name.endswith(".whl")]
    assert names == [
        f"wheels/{OWN}-py3-none-any.whl" for OWN in ("extra_method-1.0", f"hpoctl-{distribution('hpoctl').version}")
    ]
    lock = files["requirements.txt"].decode().splitlines()
    assert f"numpy=={distribution('numpy').version}" in lock
    assert f"boto3=={distribution('boto3').version}" in lock
    assert not [line for line in lock if line.startswith(("hpoctl", "extra", "sagemaker", "pytest"))]
    assert files["extra.txt"] == b"tqdm\n"
    with zipfile.ZipFile(io.BytesIO(files[names[1]])) as archive:
        inside = archive.namelist()
        assert archive.testzip() is None
    assert "hpoctl/ops/running/job.py" in inside
    assert not [name for name in inside if "__pycache__" in name or name.endswith("direct_url.json")]
    assert any(name.endswith("RECORD") for name in inside)


def test_pip_installs_the_wheels(plugins: Path, tmp_path: Path) -> None:
    wheel = wheel_of(distribution("extra-method"))
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
    found = PathDistribution(tmp_path / "site" / "extra_method-1.0.dist-info")
    assert [point.name for point in found.entry_points] == ["extra-method"]
    assert (tmp_path / "site" / "extra_method_module.py").read_text() == "WORD = 'here'\n"


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
    metadata = "Metadata-Version: 2.1\nName: extra-method\nVersion: 1.0\nRequires-Dist: no-such-library\n"
    (plugins / "extra_method-1.0.dist-info" / "METADATA").write_text(metadata)
    with pytest.raises(HpoctlError, match="extra-method requires no-such-library, which is not installed here"):
        make_bundle()


def test_upload_once(plugins: Path, tmp_path: Path) -> None:
    store, bundle = LocalStore(tmp_path / "results"), make_bundle()
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


def _machine(tmp_path: Path, lock: str, **settings: str) -> tuple[Path, Path]:
    machine, bundle = tmp_path / "ml", tmp_path / "ml" / "input" / "data" / "hpoctl"
    (machine / "input" / "config").mkdir(parents=True)
    (bundle / "wheels").mkdir(parents=True)
    (bundle / "requirements.txt").write_text(lock)
    (machine / "input" / "config" / "hyperparameters.json").write_text(json.dumps(settings))
    (bundle / "entry.py").write_bytes(Path(container.__file__).read_bytes())
    return machine, bundle


def _run(bundle: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1"}
    return subprocess.run([sys.executable, str(bundle / "entry.py")], env=environment, capture_output=True, check=False)


def test_container_says_why_the_job_cannot_run(tmp_path: Path) -> None:
    lock = f"numpy=={distribution('numpy').version}\n"
    machine, bundle = _machine(tmp_path, lock, results=str(tmp_path / "results"), tag="docs", job="docs-1")
    done = _run(bundle)
    assert done.returncode == 3
    assert "There is no job docs-1 of tag docs" in (machine / "output" / "failure").read_text()
    assert "There is no job docs-1 of tag docs" in (machine / "checkpoints" / "log.txt").read_text()
    assert b"There is no job docs-1 of tag docs" in done.stdout


def test_container_says_what_pip_cannot_install(tmp_path: Path) -> None:
    machine, bundle = _machine(tmp_path, "no-such-library==1.0\n", results="x", tag="docs", job="docs-1")
    assert _run(bundle).returncode == 1
    assert "pip cannot install what the job needs" in (machine / "output" / "failure").read_text()
    assert "no-such-library==1.0" in (machine / "checkpoints" / "log.txt").read_text()


def test_reason_of_a_failure() -> None:
    assert container.reason(b"") == "it said nothing"
    assert container.reason(b"one\ntwo\n") == "two"
    assert container.reason(b"12:00:00 error: no room\n12:00:01 bye\n") == "12:00:00 error: no room"
    assert len(container.reason(b"x" * 5000)) == 1024
