"""The offline trainer: its gradient and its protocol against numpy, and the driver that feeds it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

TRAINER = Path(__file__).parents[1] / "trainer"
TOOLS = Path(__file__).parents[1] / "tools"
SOURCE = Path(__file__).parents[1] / "src"
GCC = shutil.which("gcc")

pytestmark = pytest.mark.skipif(GCC is None, reason="gcc is not installed: the trainer cannot be compiled")


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("trainer") / "fcnet_train"
    # Where the processor has no AVX-512, wide vectors change the calling convention, which concerns no other code here.
    flags = [
        "-Wno-psabi",
        "-O3",
        "-march=native",
        "-mprefer-vector-width=512",
        "-ffast-math",
        "-Wall",
        "-Wextra",
        "-Werror",
    ]
    subprocess.run([str(GCC), *flags, "-o", target, TRAINER / "fcnet_train.c", "-lm"], check=True)
    return target


def write_data(path: Path, inputs: int, n_train: int, n_valid: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A random regression set in the trainer's format; returns the training part."""
    random = np.random.default_rng(seed)
    parts = []
    for rows in (n_train, n_valid):
        x = random.normal(size=(rows, inputs)).astype(np.float32)
        y = np.tanh(x[:, 0] - 0.5 * x[:, 1]) + 0.1 * random.normal(size=rows)
        parts.append((x, y.astype(np.float32)))
    with path.open("wb") as file:
        file.write(np.array([inputs, n_train, n_valid], np.int32).tobytes())
        for inputs_of_part, outputs in parts:
            file.write(inputs_of_part.tobytes() + outputs.tobytes())
    return parts[0]


def split_parameters(flat: np.ndarray, d: int, n1: int, n2: int) -> list[np.ndarray]:
    sizes = [d * n1, n1, n1 * n2, n2, n2, 1]
    w1, b1, w2, b2, w3, b3 = np.split(flat, np.cumsum(sizes)[:-1])
    return [w1.reshape(d, n1), b1, w2.reshape(n1, n2), b2, w3, b3]


def reference(parameters, x, y, acts):
    """Loss and gradient of the network in float64."""
    w1, b1, w2, b2, w3, b3 = parameters
    forward: dict[int, Callable[[np.ndarray], np.ndarray]] = {0: np.tanh, 1: lambda z: np.maximum(z, 0)}
    slope = {0: lambda h: 1 - h * h, 1: lambda h: (h > 0).astype(float)}
    h1 = forward[acts[0]](x @ w1 + b1)
    h2 = forward[acts[1]](h1 @ w2 + b2)
    error = h2 @ w3 + b3 - y
    d3 = 2 * error / len(y)
    d2 = np.outer(d3, w3) * slope[acts[1]](h2)
    d1 = (d2 @ w2.T) * slope[acts[0]](h1)
    gradient = [x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, np.array([d3.sum()])]
    return (error**2).mean(), gradient


def test_the_reference_gradient_is_the_slope_of_its_loss():
    random = np.random.default_rng(3)
    shapes = [(5, 16), (16,), (16, 32), (32,), (32,), (1,)]
    parameters = [random.normal(0, 0.3, shape) for shape in shapes]
    x, y = random.normal(size=(8, 5)), random.normal(size=8)
    _, gradient = reference(parameters, x, y, (0, 0))
    for values, slopes in zip(parameters, gradient, strict=True):
        place = np.unravel_index(int(random.integers(values.size)), values.shape)
        kept = values[place]
        values[place] = kept + 1e-6
        above, _ = reference(parameters, x, y, (0, 0))
        values[place] = kept - 1e-6
        below, _ = reference(parameters, x, y, (0, 0))
        values[place] = kept
        assert slopes[place] == pytest.approx((above - below) / 2e-6, abs=1e-7)


@pytest.mark.parametrize("acts", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize(("batch", "n1", "n2"), [(8, 16, 32), (16, 64, 16), (32, 32, 128), (64, 96, 64)])
def test_the_gradient_is_that_of_the_reference(binary, tmp_path, acts, batch, n1, n2):
    d = 11
    x, y = write_data(tmp_path / "data", d, 70, 10, seed=batch)
    line = f"0 42 {acts[0]} {acts[1]} {batch} 0 0 0.01 0 {n1} {n2}\n"
    result = subprocess.run(
        [binary, "--gradient", tmp_path / "data"], input=line.encode(), capture_output=True, check=True
    )
    values = np.frombuffer(result.stdout, np.float32).astype(np.float64)
    half = (len(values) - 1) // 2
    parameters = split_parameters(values[1 : 1 + half], d, n1, n2)
    loss, gradient = reference(parameters, x[:batch].astype(float), y[:batch].astype(float), acts)
    assert values[0] == pytest.approx(loss, rel=1e-5)
    scale = max(np.abs(part).max() for part in gradient)
    for found, expected in zip(split_parameters(values[1 + half :], d, n1, n2), gradient, strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5 * scale)


def test_glorot_uniform_weights_and_zero_biases_but_for_the_check(binary, tmp_path):
    write_data(tmp_path / "data", 11, 70, 10, seed=1)
    line = b"0 7 1 1 8 0 0 0.01 0 64 128\n"
    result = subprocess.run([binary, "--gradient", tmp_path / "data"], input=line, capture_output=True, check=True)
    values = np.frombuffer(result.stdout, np.float32)[1:]
    w1, _, w2, _, w3, _ = split_parameters(values[: len(values) // 2], 11, 64, 128)
    for weights, fans in ((w1, 11 + 64), (w2, 64 + 128), (w3, 128 + 1)):
        limit = np.sqrt(6 / fans)
        assert 0.9 * limit < np.abs(weights).max() <= limit
        assert weights.std() == pytest.approx(limit / np.sqrt(3), rel=0.15)


def run_once(binary: Path, data: Path, line: str, epochs: int) -> np.ndarray:
    result = subprocess.run([binary, data, str(epochs)], input=line.encode(), capture_output=True, check=True)
    assert len(result.stdout) == 8 + 12 * epochs
    return np.frombuffer(result.stdout[8:], np.float32).reshape(3, epochs)


@pytest.mark.parametrize("line", ["3 1 0 0 8 0 0 0.001 0 64 64\n", "3 1 1 0 32 0.3 0.3 0.01 1 64 32\n"])
def test_training_learns_and_is_repeatable(binary, tmp_path, line):
    write_data(tmp_path / "data", 5, 300, 100, seed=2)
    train, valid, seconds = run_once(binary, tmp_path / "data", line, 20)
    assert train[-1] < 0.5 * train[0]
    assert valid[-1] < 0.2
    assert (seconds >= 0).all()
    again = run_once(binary, tmp_path / "data", line, 20)
    assert np.array_equal(again[:2], [train, valid])
    other = run_once(binary, tmp_path / "data", line.replace("3 1 ", "3 2 ", 1), 20)
    assert not np.array_equal(other[1], valid)


def test_a_line_that_is_no_run_is_refused(binary, tmp_path):
    write_data(tmp_path / "data", 5, 30, 10, seed=2)
    result = subprocess.run(
        [binary, tmp_path / "data", "2"], input=b"0 1 0 0 7 0 0 0.1 0 16 16\n", capture_output=True, check=False
    )
    assert result.returncode == 2
    assert b"not understood" in result.stderr


def drive(binary: Path, folder: Path, runs: int) -> str:
    command = [sys.executable, TOOLS / "train_runs.py", "--uci", folder, "--trainer", binary, "--out", folder / "out"]
    options = ["--sets", "parkinsons", "--runs", str(runs), "--repeated", "1", "--repeats", "1", "--processes", "2"]
    result = subprocess.run(
        [*map(str, command), *options], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    return result.stdout


def test_the_driver_continues_where_it_was_killed(binary, tmp_path):
    random = np.random.default_rng(4)
    np.savez(
        tmp_path / "parkinsons_telemonitoring.npz",
        X=random.normal(size=(120, 6)).astype(np.float32),
        y=random.normal(size=120).astype(np.float32),
        split=random.permutation(120).astype(np.int32),
        n_train=72,
        n_valid=24,
    )
    assert "0 runs done, 3 to do" in drive(binary, tmp_path, runs=2)
    path = tmp_path / "out" / "parkinsons.runs"
    whole = path.read_bytes()
    record = len(whole) // 3
    path.write_bytes(whole[: 2 * record + 100])  # killed in the middle of a record
    assert "2 runs done, 2 to do" in drive(binary, tmp_path, runs=3)
    again = path.read_bytes()
    assert len(again) == 4 * record
    assert again[: 2 * record] == whole[: 2 * record]
    keys = [tuple(np.frombuffer(again[start : start + 8], "<u4")) for start in range(0, len(again), record)]
    assert len(set(keys)) == 4
    assert sorted(seed for _, seed in keys) == [0, 0, 0, 1]
