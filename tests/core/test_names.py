"""The grammar of tags and entry names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.errors import UsageError, unknown_name
from hpoctl.core.names import check_entry_name, check_tag, made_up_tag
from hpoctl.core.rng import stream

HOSTILE = [
    "",
    "-",
    "a--b",
    "-a",
    "a-",
    "a b",
    "a/b",
    "../x",
    "a\n",
    "a\0",
    "ä",
    "a_b",
    "a.b",
    "x" * 64,
    "CON/..",
    "a\\b",
]


@pytest.mark.parametrize("tag", ["docs-2", "a", "A1-b2-C3", "x" * 63, "0"])
def test_tags(tag: str) -> None:
    assert check_tag(tag) == tag


@pytest.mark.parametrize("tag", HOSTILE)
def test_hostile_tags_are_refused_with_a_remedy(tag: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_tag(tag)
    assert caught.value.fix.endswith(".")


@given(st.text(max_size=80))
def test_an_accepted_tag_is_safe_in_a_path_and_in_a_job_name(tag: str) -> None:
    try:
        check_tag(tag)
    except UsageError:
        return
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", tag)


@pytest.mark.parametrize("name", ["ASHA-RELU", "fcnet-protein", "my_method", "v1.2"])
def test_entry_names(name: str) -> None:
    assert check_entry_name("method", name) == name


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", ".x", "x.", "a..b"])
def test_hostile_entry_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a method"):
        check_entry_name("method", name)


@given(st.integers(0, 2**31))
def test_made_up_tags_are_tags(seed: int) -> None:
    tag = made_up_tag(stream(seed, 0, "tag"))
    assert check_tag(tag) == tag


def test_a_mistyped_name_gets_its_neighbours() -> None:
    error = unknown_name("method", "mobster-rel", ["RS", "MOBSTER-RELU", "ASHA"], "hpoctl methods")
    assert error.what == "Unknown method 'mobster-rel'."
    assert error.fix == "Did you mean MOBSTER-RELU? `hpoctl methods` lists all of them."
    assert unknown_name("method", "zzzzz", ["RS"], "hpoctl methods").fix == "`hpoctl methods` lists all of them."
