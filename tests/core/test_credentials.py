"""What looks like a credential and what does not, and texts without them."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.credentials import (
    HIDDEN,
    check_values,
    check_variable,
    check_words,
    command_text,
    concealed,
    concealed_bytes,
    is_credential,
    names_credential,
)
from hpoctl.core.errors import UsageError

LETTERS = string.ascii_letters + string.digits
TOKENS = [
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2" * 6,
    "glpat-" + "x" * 20,
    "hf_" + "aB" * 17,
    "sk-proj-" + "aB3" * 12,
    "xoxb-123456789012-abc",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "q7Rk2vX9bT/4nLw8ZcYs1Jm5+Hd0PfGu6EaVoKtB",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
]
NAMED = [
    "WANDB_API_KEY",
    "HF_TOKEN",
    "db_password",
    "apiKey",
    "AWS_SECRET_ACCESS_KEY",
    "MY_SECRET",
    "authToken",
    "auth",
]
UNNAMED = [
    "max_tokens",
    "TOKENIZERS_PARALLELISM",
    "tokenizer",
    "TOKEN_FILE",
    "key",
    "KMS_KEY",
    "batch_size",
    "PWD",
    "monkey",
]
HARMLESS = [
    "", "12", "1e-3", "true", "none", "$TOKEN", "$(cat ~/.token)", "~/.token", "/run/secrets/key", "./key", "<yours>",
    "[PAD]", "MY_TOKEN", "***",
]  # fmt: skip
PLAIN = [
    "docs-2-fcnet-protein-13-20261129-014906-123456",
    "/home/Someone/Projects/HPO-2026/results/fcnet-Protein",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3.0-gpu-py311-cu121-ubuntu20.04-sagemaker",
    "s3://my-bucket/prefix",
    "module load python/3.11; export OMP_NUM_THREADS=1",
    "--exclusive --gres=gpu:1 --mail-type=END",
    "sk-learn-experiments-of-last-year",
    "https://example.org:8080/path@2",
]


@pytest.mark.parametrize("token", TOKENS)
def test_a_credential_is_known_by_its_form(token: str) -> None:
    assert is_credential("", token)
    assert is_credential("note", f"use {token} for it")
    assert token not in concealed(f"error: {token} is wrong")
    assert HIDDEN in concealed(f"error: {token} is wrong")


@pytest.mark.parametrize("name", NAMED)
def test_a_credential_is_known_by_its_name(name: str) -> None:
    assert names_credential(name)
    assert is_credential(name, "hunter2")
    assert is_credential("setup", f"true; export {name}=hunter2")
    assert not any(is_credential(name, value) for value in HARMLESS)
    assert "hunter2" not in command_text(["hpoctl", "launch", f"--{name}", "hunter2"])
    assert "hunter2" not in command_text(["hpoctl", f"--launcher-option=setup=export {name}='hunter2'"])
    assert "hunter2" not in concealed(f"ValueError: {{'{name}': 'hunter2'}}")


@pytest.mark.parametrize("name", UNNAMED)
def test_other_names_say_nothing(name: str) -> None:
    assert not names_credential(name)
    assert not is_credential(name, "hunter2")


@pytest.mark.parametrize("text", [*PLAIN, *HARMLESS])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert not is_credential("", text)
    assert concealed(text, ()) == text


def test_random_texts_are_taken_for_credentials() -> None:
    rng = random.Random(1)
    made = ["".join(rng.choices(LETTERS + "+/", k=40)) for _ in range(400)]
    assert sum(is_credential("", text) for text in made) > 0.98 * len(made)


def test_what_the_environment_calls_a_credential_is_found_in_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SERVICE_TOKEN", "correct horse")
    assert concealed("it said: correct horse!") == "it said: ***!"
    assert concealed_bytes(b"\xff correct horse") == b"\xff ***"


@given(st.lists(st.text(max_size=30), max_size=5))
def test_command_lines_without_credentials_are_what_was_typed(words: list[str]) -> None:
    import shlex

    if not any(is_credential("", word) or names_credential(word) for word in words):
        assert shlex.split(command_text(words)) == words


def test_refusals_name_what_is_refused_and_never_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "x")
    check_variable("launcher far", "token", "MY_TOKEN")
    check_values("it", {"API_KEY": "$API_KEY", "seed": 3})
    check_words("the command", ["./train", "--fast", "yes"])
    for refuse in (
        lambda: check_values("launcher far", {"api_key": "hunter2"}),
        lambda: check_words("launcher far", ["./train", "--password", "hunter2"]),
        lambda: check_variable("launcher far", "token", "hunter2"),
        lambda: check_variable("launcher far", "token", "HUNTER2"),
    ):
        with pytest.raises(UsageError) as caught:
            refuse()
        assert "launcher far" in caught.value.what
        assert "hunter2" not in str(caught.value).casefold()
