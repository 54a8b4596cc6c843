"""What a tag keeps: one random seed, the first that was chosen, and every plan that was launched under it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hpoctl.core.cells import Cell
from hpoctl.core.errors import IncompleteError
from hpoctl.core.sealed import seal
from hpoctl.core.settings import Settings
from hpoctl.core.study import Study
from hpoctl.ops.studies.choose_study import study_table
from hpoctl.ops.studies.tags import (
    RANDOM_SEEDS,
    STUDY_FILE,
    RandomSeed,
    keep_plan,
    keep_random_seed,
    random_seed_for,
    read_plan,
    read_plans,
    stored_random_seed,
    tags,
    wanted_cells,
)
from hpoctl.stores.local import LocalStore

TAG = "docs-2"
STUDY = Study("s", "Some", methods=("RS", "ASHA"), benchmarks=("toy",), num_seeds=2)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


# --- the random seed ---


def test_a_random_seed_is_drawn_and_kept(store: LocalStore) -> None:
    offers = [random_seed_for(store, TAG, None) for _ in range(5)]
    assert all(offer.drawn and not offer.warning for offer in offers)
    drawn = [offer.value for offer in offers]
    assert len(set(drawn)) > 1
    assert all(0 <= seed < RANDOM_SEEDS for seed in drawn)
    assert dict(store.list("")) == {}, "planning writes nothing"
    assert stored_random_seed(store, TAG) is None
    assert keep_random_seed(store, TAG, drawn[0]) == drawn[0]
    assert random_seed_for(store, TAG, None) == RandomSeed(drawn[0], drawn=False)
    assert stored_random_seed(store, f"{TAG}-debug") is None


def test_the_first_one_stays_unless_it_is_replaced(store: LocalStore) -> None:
    assert keep_random_seed(store, TAG, 7) == 7
    assert keep_random_seed(store, TAG, 8) == 7
    assert stored_random_seed(store, TAG) == 7
    assert keep_random_seed(store, TAG, 8, replace=True) == 8
    assert stored_random_seed(store, TAG) == 8


def test_one_that_is_asked_for_is_used_with_a_warning_if_the_tag_has_another(store: LocalStore) -> None:
    assert random_seed_for(store, TAG, 7) == RandomSeed(7, drawn=False)
    keep_random_seed(store, TAG, 7)
    assert random_seed_for(store, TAG, 7) == RandomSeed(7, drawn=False)
    other = random_seed_for(store, TAG, 8)
    assert (other.value, other.drawn) == (8, False)
    assert "7" in other.warning


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes_that_begin_a_tag_at_once_agree_on_one_seed(store: LocalStore) -> None:
    for race in range(10):
        tag = f"race-{race}"
        start, go = os.pipe()
        answers, tell = os.pipe()
        children = []
        for number in range(8):
            child = os.fork()
            if child == 0:
                os.close(go)
                os.read(start, 1)
                seed = keep_random_seed(store, tag, number)
                os.write(tell, bytes([seed]))
                os._exit(0)
            children.append(child)
        os.close(go)
        os.close(start)
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
        os.close(tell)
        said = os.read(answers, 100)
        os.close(answers)
        assert said == bytes([stored_random_seed(store, tag) or 0]) * 8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"master_seed": 7}',
        seal({"master_seed": 7})[:-9],
        seal({"format": 1}),
        seal({"master_seed": -1}),
        seal({"master_seed": True}),
        seal({"master_seed": "7"}),
        seal({"master_seed": None}),
    ],
    ids=range(9),
)
def test_a_damaged_random_seed_is_never_guessed_or_replaced_unasked(store: LocalStore, data: bytes) -> None:
    store.put(f"{TAG}/{STUDY_FILE}", data)
    for call in (
        lambda: stored_random_seed(store, TAG),
        lambda: random_seed_for(store, TAG, None),
        lambda: random_seed_for(store, TAG, 7),
        lambda: keep_random_seed(store, TAG, 7),
    ):
        with pytest.raises(IncompleteError) as caught:
            call()
        assert store.location(f"{TAG}/{STUDY_FILE}") in caught.value.what
        assert "--random-seed" in caught.value.fix
    assert store.get(f"{TAG}/{STUDY_FILE}") == data
    keep_random_seed(store, TAG, 7, replace=True)
    assert stored_random_seed(store, TAG) == 7


# --- plans ---


def test_plans_come_back_in_their_order(store: LocalStore) -> None:
    assert read_plans(store, TAG) == []
    studies = [replace(STUDY, num_seeds=number) for number in range(1, 13)]
    plans = [keep_plan(store, TAG, study, f"source {study.num_seeds}") for study in studies]
    assert read_plans(store, TAG) == plans
    assert [plan.study for plan in plans] == studies
    assert [plan.name[:5] for plan in plans] == [f"{number:04d}-" for number in range(1, 13)]
    assert read_plan(store, TAG, plans[3].name) == plans[3]


def test_everything_that_a_study_says_is_kept(store: LocalStore) -> None:
    study = replace(
        STUDY,
        fixed={"ASHA": {"activation": "relu", "units": 16, "rate": 0.5, "flag": True}},
        settings=("ASHA.grace_period=3",),
        launcher_options={"workers": 2, "name": "x"},
        experiment=Settings(decision_time=2.0, max_wallclock_time=60.0),
    )
    plan = keep_plan(store, TAG, study, "study.toml")
    assert read_plan(store, TAG, plan.name).study == study


def test_an_equal_plan_is_used_again(store: LocalStore) -> None:
    first = keep_plan(store, TAG, STUDY, "s")
    files = dict(store.list(""))
    assert keep_plan(store, TAG, replace(STUDY), "s") == first
    assert dict(store.list("")) == files
    assert keep_plan(store, TAG, STUDY, "another source").name != first.name
    assert keep_plan(store, "other", STUDY, "s") != first


def test_of_plans_launched_in_turn_the_last_one_is_the_newest(store: LocalStore) -> None:
    first, second = STUDY, replace(STUDY, experiment=Settings(max_wallclock_time=60.0))
    for study in (first, second, first, first):
        keep_plan(store, TAG, study, "s")
    assert [plan.study for plan in read_plans(store, TAG)] == [first, second, first]
    assert all(plan.study == first for plan in wanted_cells(read_plans(store, TAG)).values())


def test_a_plan_after_one_was_removed_is_still_the_newest(store: LocalStore) -> None:
    plans = [keep_plan(store, TAG, replace(STUDY, num_seeds=number), "s") for number in (1, 2, 3)]
    store.delete(f"{TAG}/.hpoctl/plans/{plans[0].name}.json")
    newest = keep_plan(store, TAG, replace(STUDY, num_seeds=4), "s")
    assert read_plans(store, TAG) == [*plans[1:], newest]


def test_the_newest_plan_that_names_an_experiment_says_how_it_is_run(store: LocalStore) -> None:
    old = keep_plan(store, TAG, STUDY, "s")
    new = keep_plan(store, TAG, replace(STUDY, methods=("ASHA",), start_seed=1, num_seeds=3), "s")
    wanted = wanted_cells(read_plans(store, TAG))
    assert wanted == {
        Cell("RS", "toy", 0): old,
        Cell("RS", "toy", 1): old,
        Cell("ASHA", "toy", 0): old,
        Cell("ASHA", "toy", 1): new,
        Cell("ASHA", "toy", 2): new,
    }
    assert wanted_cells([]) == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b"RS", b"BO"),
        lambda data: b"",
        lambda data: seal({"format": 1}),
        lambda data: seal({"format": 1, "source": "s", "study": {"methods": ["RS"]}}),
        lambda data: seal({"format": 1, "source": "s", "study": {"methodz": ["RS"]}}),
        lambda data: seal({"format": 1, "source": "s", "study": 5}),
        lambda data: seal({"format": 1, "source": "s", "study": None}),
        lambda data: seal({"format": 1, "source": "s", "study": study_table(STUDY)}),
        lambda data: seal({"format": 1, "source": "s", "study": study_table(STUDY), "changes": 5}),
        lambda data: seal({"format": 1, "source": "s", "study": study_table(STUDY), "changes": None}),
    ],
    ids=range(11),
)
def test_a_damaged_plan_is_named(store: LocalStore, damage: object) -> None:
    keep_plan(store, TAG, STUDY, "s")
    (file,) = store.list(TAG)
    store.put(file, damage(store.get(file)))  # type: ignore[operator]
    with pytest.raises(IncompleteError) as caught:
        read_plans(store, TAG)
    assert store.location(file) in caught.value.what
    assert "\n" not in caught.value.what
    store.delete(file)
    assert read_plans(store, TAG) == []


def test_a_missing_plan_is_named(store: LocalStore) -> None:
    with pytest.raises(IncompleteError, match="0001-abc"):
        read_plan(store, TAG, "0001-abc")


def test_other_files_among_the_plans_are_passed_over(store: LocalStore) -> None:
    plan = keep_plan(store, TAG, STUDY, "s")
    for name in (f"{plan.name}.json~", "notes.txt"):
        store.put(f"{TAG}/.hpoctl/plans/{name}", b"")
    assert read_plans(store, TAG) == [plan]


# --- tags ---


def test_tags_are_the_folders_of_the_root(store: LocalStore) -> None:
    assert tags(store) == []
    for name in ("b/ASHA/x/metadata.json", "a/study.json", "a-2/.hpoctl/plans/1", ".trash/1/c/x", ".claims", "notes"):
        store.put(name, b"")
    assert tags(store) == ["a", "a-2", "b"]
