"""Bringing in a model: what is kept, and what is refused without a trace."""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from faults import failing_at_every_step
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.space import Config
from hpoctl_lcbench import files, importer, plugin
from hpoctl_lcbench.space import ENCODING, SPACE, TASKS


def load(path: Path):
    return importer.load(path, lambda *_: None)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def curve(task: str = "189908", config: Config | None = None) -> bytes:
    benchmark = {entry.name: entry for entry in plugin.hpoctl_benchmarks()}[f"lcbench-{task}"]
    return benchmark.blackbox().curve(config or SPACE.middle(), 0).metrics.tobytes()


def test_without_a_model_there_are_no_benchmarks(data):
    assert tuple(plugin.hpoctl_benchmarks()) == ()
    assert not data.exists()


def test_an_import_brings_34_benchmarks(imported, data, model_bytes):
    benchmarks = {benchmark.name: benchmark for benchmark in plugin.hpoctl_benchmarks()}
    assert tuple(benchmarks) == imported.benchmarks == tuple(f"lcbench-{task}" for task in TASKS)
    benchmark = benchmarks["lcbench-189908"]
    assert (benchmark.metric, benchmark.mode) == ("val_accuracy", "max")
    assert (benchmark.resource_attr, benchmark.max_resource) == ("epoch", 52)
    assert (benchmark.n_workers, benchmark.max_wallclock_time) == (4, 7200)
    assert benchmark.provenance["curves"] == "surrogate (YAHPO Gym)"
    assert "Apache-2.0" in benchmark.card["licence"]
    (folder,) = [entry for entry in data.iterdir() if entry.is_dir()]
    assert (folder / "model.onnx").read_bytes() == model_bytes
    assert benchmark.provenance["model"] == folder.name


def test_notes_say_where_it_is_and_what_was_assumed(imported, data):
    assert str(data) in imported.notes[0]
    assert "no encoding.json" in imported.notes[1]
    assert "%" in imported.notes[2]


def test_progress_is_told(model_file):
    told: list[tuple[str, int, int | None]] = []
    importer.load(model_file, lambda *words: told.append(words))
    assert told[0][1:] == (0, 34)
    assert told[-1][1:] == (34, 34)


def test_the_same_model_again_changes_nothing(imported, model_file, data):
    before = tree(data)
    assert load(model_file).benchmarks == imported.benchmarks
    assert tree(data) == before


def test_the_model_imported_last_is_used_and_the_others_stay(imported, model_file, data, synthetic):
    first = curve()
    changed = onnx.ModelProto.FromString(synthetic.SerializeToString())
    weights = next(tensor for tensor in changed.graph.initializer if tensor.name == "b_out")
    weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) + np.float32(0.1), "b_out"))
    other = model_file.with_name("other.onnx")
    other.write_bytes(changed.SerializeToString())
    load(other)
    assert curve() != first
    assert len([entry for entry in data.iterdir() if entry.is_dir()]) == 2
    load(model_file)
    assert curve() == first


def test_a_folder_with_one_model_will_do(model_file):
    assert load(model_file.parent).benchmarks
    model_file.rename(model_file.with_name("new_model.onnx"))
    assert load(model_file.parent).benchmarks


def test_an_encoding_beside_the_model_is_used(model_file):
    load(model_file)
    published = curve("189908")
    swapped = {**ENCODING, "189908": ENCODING["3945"], "3945": ENCODING["189908"], "#na#": 0}
    (model_file.parent / "encoding.json").write_text(json.dumps({"OpenML_task_id": swapped}))
    notes = load(model_file).notes
    assert "encoding.json" in notes[1]
    assert "no encoding.json" not in notes[1]
    assert curve("3945") == published
    assert curve("189908") != published


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"OpenML_task_id": {"3945": 34}}',
        json.dumps({"OpenML_task_id": {**ENCODING, "3945": "34"}}),
        json.dumps({"OpenML_task_id": {**ENCODING, "3945": True}}),
        json.dumps({"OpenML_task_id": {**ENCODING, "3945": 0}}),
        json.dumps({"OpenML_task_id": {**ENCODING, "3945": ENCODING["7593"]}}),
        "[" * 100_000,
        "\xff",
    ],
)
def test_a_damaged_encoding_is_refused(model_file, data, content):
    (model_file.parent / "encoding.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(IncompleteError, match=r"encoding\.json"):
        load(model_file)
    assert not data.exists()


def _rename_input(model):
    model.graph.input[0].name = "x_task"
    for node in model.graph.node:
        node.input[:] = ["x_task" if name == "x_cat" else name for name in node.input]


def _long_tasks(model):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64


def _fixed_batch(model):
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1


def _nine_numbers(model):
    model.graph.input[1].type.tensor_type.shape.dim[1].dim_value = 9


def _two_outputs(model):
    model.graph.output.append(helper.make_tensor_value_info("metrics", TensorProto.FLOAT, ["batch_size", 5]))


def _five_outputs(model):
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("metrics", TensorProto.FLOAT, ["batch_size", 5]))


def _open_width(model, width):
    """The file leaves open how many columns come out; `width` of the six do."""
    model.graph.node[-1].output[0] = "all_columns"
    kept = np.arange(6) < width
    model.graph.initializer.append(numpy_helper.from_array(kept, "kept"))
    model.graph.node.append(helper.make_node("Compress", ["all_columns", "kept"], ["output"], axis=1))
    model.graph.output[0].type.tensor_type.shape.dim[1].Clear()


def _hidden_five_outputs(model):
    _open_width(model, 5)


def _no_open_rows(model):
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 3


def _external(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"


def _future_opset(model):
    model.opset_import[0].version = 999


def _unknown_operator(model):
    model.graph.node[-1].op_type = "Divine"


def _few_tasks(model):
    table = next(tensor for tensor in model.graph.initializer if tensor.name == "tasks")
    table.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(table)[:30], "tasks"))


def _set(name, value):
    def change(model):
        tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
        tensor.CopyFrom(numpy_helper.from_array(np.full_like(numpy_helper.to_array(tensor), value), name))

    return change


def _noisy(model):
    last = model.graph.node[-1]
    last.output[0] = "exact"
    model.graph.node.append(helper.make_node("RandomNormalLike", ["exact"], ["noise"]))
    model.graph.node.append(helper.make_node("Add", ["exact", "noise"], ["output"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_rename_input, "inputs x_task, x_cont"),
        (_long_tasks, "int64|can be run"),
        (_fixed_batch, r"shape \(1, 1\)"),
        (_nine_numbers, "can be run"),
        (_two_outputs, "2 outputs"),
        (_five_outputs, r"shape \(any, 5\)"),
        (_hidden_five_outputs, r"float32 \(52, 5\)"),
        (_no_open_rows, r"shape \(3, 6\)"),
        (_external, "weights in other files"),
        (_future_opset, "can be run"),
        (_unknown_operator, "can be run"),
        (_few_tasks, "cannot be evaluated"),
        (_set("zero", np.nan), "not finite"),
        (_set("width", np.inf), "not finite"),
        (_set("start", 1e20), "no usable time"),
        (_noisy, "in two ways"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_another_model_is_refused_and_nothing_changes(synthetic, model_file, imported, data, change, message):
    before, used = tree(data), curve()
    model = onnx.ModelProto.FromString(synthetic.SerializeToString())
    change(model)
    bad = model_file.with_name("bad.onnx")
    bad.write_bytes(model.SerializeToString())
    with pytest.raises(IncompleteError, match=message) as raised:
        load(bad)
    assert "\n" not in str(raised.value)
    assert tree(data) == before
    assert curve() == used


def test_a_model_may_leave_the_width_of_its_output_open(synthetic, model_file):
    load(model_file)
    before = curve()
    model = onnx.ModelProto.FromString(synthetic.SerializeToString())
    _open_width(model, 6)
    model_file.write_bytes(model.SerializeToString())
    load(model_file)
    assert curve() == before


@pytest.mark.parametrize("cut", [1, 100, 1000, -300, -1])
def test_a_truncated_file_is_refused(model_file, data, cut):
    model_file.write_bytes(model_file.read_bytes()[:cut])
    with pytest.raises(IncompleteError):
        load(model_file)
    assert not data.exists()


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 5000, b"<html>not found</html>", b"version https://git-lfs", b"PK\3\4"]
)
def test_garbage_is_refused(model_file, data, content):
    model_file.write_bytes(content)
    with pytest.raises(IncompleteError):
        load(model_file)
    assert not data.exists()


def test_a_huge_file_is_refused_without_being_read(model_file, data, monkeypatch):
    monkeypatch.setattr(importer, "MAX_BYTES", 1000)
    with pytest.raises(IncompleteError, match="more than 1,000 bytes"):
        load(model_file)
    assert not data.exists()


def test_what_is_no_file_is_refused(tmp_path, data):
    with pytest.raises(UsageError, match="no file"):
        load(tmp_path / "missing.onnx")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no file"):
        load(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"holds no model\.onnx"):
        load(tmp_path)
    assert not data.exists()


def test_a_folder_with_two_models_needs_a_choice(model_file):
    model_file.with_name("new_model.onnx").write_bytes(model_file.read_bytes())
    with pytest.raises(UsageError, match="Give the file"):
        load(model_file.parent)


def test_a_file_that_cannot_be_read_is_an_error(model_file, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(HpoctlError, match="cannot be read: Permission denied"):
        load(model_file)


@pytest.mark.parametrize("stays", [False, True])
def test_whatever_fails_while_it_is_kept_the_model_in_use_is_whole(imported, data, model_bytes, stays):
    encoding = {**ENCODING, "189908": ENCODING["3945"], "3945": ENCODING["189908"]}
    new = files.Stored(model_bytes, encoding, "elsewhere")
    old_name = files.current()
    assert old_name is not None
    outcomes = set()

    def work() -> None:
        try:
            files.keep(new)
        except HpoctlError as error:
            outcomes.add(type(error))

    def check() -> None:
        name = files.current()
        assert name in {old_name, new.name}
        assert files.read(name).model_hash == new.model_hash
        (data / "current").write_text(f"{old_name}\n")

    steps = failing_at_every_step(work, errno.ENOSPC, check, stays=stays)
    assert steps > 5
    assert outcomes == {HpoctlError}
    files.keep(new)
    assert files.current() == new.name


def test_what_a_killed_import_has_left_is_removed_by_a_later_one(imported, model_file, data):
    for name, age in ((".new-old", 7200.0), (".new-young", 0.0)):
        (data / name).mkdir()
        (data / name / "model.onnx").write_bytes(b"half")
        os.utime(data / name, (time.time() - age,) * 2)
    load(model_file)
    assert {entry.name for entry in data.iterdir() if entry.name.startswith(".new-")} == {".new-young"}


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "delete", "pipe"])
def test_a_damaged_model_is_recognised_and_an_import_mends_it(imported, model_file, data, name, damage):
    before = curve()
    (path,) = data.glob(f"*/{name}")
    content = path.read_bytes()
    if damage in ("delete", "pipe"):
        path.unlink()
        if damage == "pipe":
            os.mkfifo(path)
    else:
        place = content.index(b'"3945": 34') + 9 if name == "manifest.json" else len(content) // 2
        flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else flipped)
    (benchmark, *_) = plugin.hpoctl_benchmarks()
    with pytest.raises(IncompleteError, match=r"damaged|has changed"):
        benchmark.blackbox()
    load(model_file)
    assert curve() == before


@pytest.mark.parametrize("damage", ["text", "pipe"])
def test_a_damaged_pointer_is_told(imported, data, damage):
    (data / "current").unlink()
    if damage == "pipe":
        os.mkfifo(data / "current")
    else:
        (data / "current").write_text("../../etc\n")
    with pytest.raises(IncompleteError, match="is damaged"):
        tuple(plugin.hpoctl_benchmarks())


def test_the_check_tells_what_is_right(imported, data):
    benchmark = {entry.name: entry for entry in plugin.hpoctl_benchmarks()}["lcbench-3945"]
    assert benchmark.check is not None
    lines = list(benchmark.check())
    assert len(lines) == 4
    assert "SHA-256" in lines[0]
    (path,) = data.glob("*/model.onnx")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IncompleteError, match="has changed"):
        next(iter(benchmark.check()))


def test_the_hooks_import_neither_onnxruntime_nor_the_importer(imported):
    source = (
        "import sys\n"
        "from hpoctl_lcbench import plugin\n"
        "assert len(tuple(plugin.hpoctl_benchmarks())) == 34\n"
        "assert [entry.name for entry in plugin.hpoctl_importers()] == ['lcbench']\n"
        "assert not {'onnxruntime', 'hpoctl_lcbench.importer'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", source], check=True)
