"""Study files: what is written is read again as it was; what cannot be read is named with its file and line."""

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import any_settings
from hpoctl.core.errors import UsageError
from hpoctl.core.names import ENTRY
from hpoctl.core.settings import Settings
from hpoctl.core.study import Study
from hpoctl.ops.studies.choose_study import load_study, study_toml

NAMES = st.from_regex(ENTRY, fullmatch=True).filter(lambda name: len(name) <= 63 and name.isascii())
TAGS = st.from_regex(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", fullmatch=True).filter(lambda tag: len(tag) <= 63)
COUNTS = st.none() | st.integers(1, 10**9)
TEXTS = st.text(max_size=20)
VALUES = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
SECONDS = st.floats(1e-300, 1e300)
DECISION_TIMES: st.SearchStrategy[Literal["zero", "measured"] | float] = st.one_of(
    st.just("zero"), st.just("measured"), st.just(0.0), SECONDS
)


@st.composite
def studies(draw: st.DrawFn) -> Study:
    backends: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.fixed_dictionaries(
        {"backend": NAMES}, optional={"backend_options": st.dictionaries(TEXTS, VALUES, max_size=3)}
    )
    methods = draw(st.lists(TEXTS.filter(bool), min_size=1, max_size=3))
    owners = st.sampled_from(methods)
    settable = [name for name in methods if name == name.strip() and "=" not in name]
    settings = st.builds("{}.{}={}".format, st.sampled_from(settable), st.just("option"), TEXTS)
    start = draw(st.integers(0, 10))
    return Study(
        name=draw(NAMES),
        summary=draw(TEXTS),
        methods=tuple(methods),
        benchmarks=tuple(draw(st.lists(TEXTS, min_size=1, max_size=3))),
        num_seeds=start + draw(st.integers(1, 10)),
        extra_results=tuple(draw(st.lists(TEXTS, max_size=2))),
        settings=tuple(draw(st.lists(settings, max_size=2))) if settable else (),
        start_seed=start,
        tag=draw(st.none() | TAGS),
        random_seed=draw(st.none() | st.integers(0, 2**32 - 1)),
        experiment=Settings(**draw(any_settings.some_settings())),
        fixed=draw(st.dictionaries(owners, st.dictionaries(TEXTS, VALUES, max_size=3), max_size=2)),
        launcher=draw(NAMES),
        launcher_options=draw(st.dictionaries(TEXTS, VALUES, max_size=3)),
        **draw(backends),
        default=draw(st.booleans()),
        panels=draw(st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3).map(tuple), max_size=2)),
    )


@given(study=studies())
def test_what_is_written_is_read_again_as_it_was(study: Study, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "round.toml"
    path.write_bytes(study_toml(study).encode())
    again = load_study(path)
    assert again == study
    assert repr(again.fixed) == repr(study.fixed)  # 1, 1.0 and true are equal, and are three values
    assert repr(again.launcher_options) == repr(study.launcher_options)


def test_a_study_file_as_a_person_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "my study.toml"
    path.write_text(
        """
        methods = ["ASHA"]      # a comment
        benchmarks = ["toy"]
        max_wallclock_time = 600
        fixed.ASHA = { activation = "relu", units = 8 }
        [launcher_options]
        jobs = 2
        """
    )
    assert load_study(path) == Study(
        name="my-study",
        summary="",
        methods=("ASHA",),
        benchmarks=("toy",),
        experiment=Settings(max_wallclock_time=600.0),
        fixed={"ASHA": {"activation": "relu", "units": 8}},
        launcher_options={"jobs": 2},
    )


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("study", "study"),
        ("my study (2)", "my-study-2"),
        ("a_b-c.d", "a_b-c.d"),
        ("--x__y--", "x-y"),
        ("größe", "gr-e"),
        ("日本", "study"),
        ("x" * 80, "x" * 63),
        ("x" * 62 + "-y", "x" * 62),
    ],
)
def test_a_study_without_a_name_is_called_after_its_file(tmp_path: Path, stem: str, name: str) -> None:
    path = tmp_path / f"{stem}.toml"
    path.write_text('methods = ["RS"]\nbenchmarks = ["toy"]\n')
    assert load_study(path).name == name


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'methods = ["RS"]\nbenchmarks = [\n', r"is not TOML: .*at line 3, the end"),
        (b'methods = ["RS"]\nmethods = ["RS"]\n', r"is not TOML: .*at line 2"),
        (b'methods = ["RS"]\nsummary = "\xff"\n', r"is no UTF-8 text \(at line 2\)"),
        (b"num_seeds = " + b"9" * 5000, r"is not TOML: "),
        (b"fixed = " + b"[" * 5000, r"is not TOML: "),
        (b"", r"study\.toml has no methods"),
        (b"method = 1", r"study\.toml has an unknown key 'method' \(line 1\)\. Did you mean methods\?"),
        (b"methods = 1", r"study\.toml has no benchmarks|study\.toml: methods cannot be 1"),
        (
            b'methods = ["RS"]\nbenchmarks = [1979-05-27]',
            r"benchmarks\[0\] cannot be datetime.date\(1979, 5, 27\) \(line 2\)",
        ),
        (
            b'methods = ["RS"]\nbenchmarks = ["toy"]\nfixed.RS.x = nan',
            r"study\.toml: fixed\.RS\.x cannot be nan",
        ),
        (b'methods = ["RS"]\nbenchmarks = ["toy"]\nn_workers = 0', r"study\.toml: n_workers cannot be 0 \(line 3\)"),
    ],
    ids=range(11),
)
def test_a_file_that_is_no_study_is_named_with_what_is_wrong(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        load_study(path)
    assert str(path) in caught.value.what
    assert re.search(message, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no study file .*absent\.toml"):
        load_study(tmp_path / "absent.toml")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="There is no study file"):
        load_study(tmp_path / "file" / "inside.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(UsageError, match="Cannot read"):
        load_study(tmp_path / "folder.toml")
    with pytest.raises(UsageError, match="Cannot read"):
        load_study(tmp_path / "nul\0.toml")
    with pytest.raises(UsageError, match="Cannot read"):
        load_study(tmp_path / f"{'x' * 300}.toml")
