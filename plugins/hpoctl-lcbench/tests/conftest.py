"""A synthetic model of the scenario's signature; no test reads or writes the user's own data."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import onnx
import pytest

from hpoctl.core.entries import Imported
from hpoctl_lcbench import importer

TOOL = Path(__file__).parent.parent / "tools" / "synthetic_model.py"


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"lcbench_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def synthetic() -> onnx.ModelProto:
    """The model; who changes it takes a copy."""
    return _load(TOOL).synthetic_model()


@pytest.fixture(scope="session")
def model_bytes(synthetic: onnx.ModelProto) -> bytes:
    return bytes(synthetic.SerializeToString())


@pytest.fixture
def model_file(model_bytes: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "download" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(model_bytes)
    return path


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory, empty at first."""
    monkeypatch.setenv("HPOCTL_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "lcbench"


@pytest.fixture
def imported(model_file: Path) -> Imported:
    return importer.load(model_file, lambda *_: None)
