"""The contract of blackboxes that list their configurations: kept by one, broken by others in one way each."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from hpoctl.blackboxes.contract import benchmark_checks, blackbox_checks
from hpoctl.core.blackbox import Curve
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import UsageError
from hpoctl.core.space import Choice, Config, Fixed, Space, TableSpace, Uniform
from hpoctl.testing import ContractError, check_benchmark, check_blackbox, toy_benchmark, toy_space, toy_table
from tables import Listed, listed_benchmark, listed_table


class Open(Listed):
    """It answers for configurations of the space that it does not list."""

    def curve(self, config: Config, seed: int) -> Curve:
        return self.blackbox.curve(config, seed)


@dataclass(frozen=True)
class Short(Listed):
    """Its last row has no curve."""

    def curve(self, config: Config, seed: int) -> Curve:
        if self.space.index(config) == self.space.size - 1:
            raise UsageError("There is no such curve.", "Ask for another one.")
        return self.blackbox.curve(config, seed)


def opened(kind: type[Listed]) -> Listed:
    made = listed_table(100)
    return kind(made.blackbox, made.space)


@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize("rows", [1, 40, 120])
def test_tables_that_keep_the_contract(rows: int, restricted: bool) -> None:
    check_benchmark(listed_benchmark(range(rows), restricted=restricted))


def test_what_is_right_is_said() -> None:
    said = list(blackbox_checks(listed_table()))
    assert "configurations that the table does not list are refused" in said
    assert said[-1] not in list(blackbox_checks(listed_table(range(120))))  # there is nothing to refuse
    assert set(said) < set(benchmark_checks(listed_benchmark()))


def test_a_table_refuses_what_it_does_not_list() -> None:
    with pytest.raises(ContractError, match="answers for a configuration that is not in its table"):
        check_blackbox(opened(Open))


def test_the_last_row_has_a_curve() -> None:
    with pytest.raises((ContractError, UsageError), match="no such curve"):
        check_blackbox(opened(Short))


SPACES = {
    "another order": Space({name: toy_space()[name] for name in reversed(toy_space().names)}),
    "another domain": Space({**toy_space().domains, "activation": Choice(("tanh", "relu", "gelu"))}),
    "another hyperparameter": Space({**toy_space().domains, "x": Uniform(0.0, 1.0)}),
    "a fixed value": toy_space().with_fixed({"activation": "relu"}),
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_the_space_of_a_benchmark_is_the_one_around_its_table(space: Space) -> None:
    with pytest.raises(ContractError, match="is not the one around its table"):
        check_benchmark(replace(listed_benchmark(), space=space))


class Valley:
    """Curves of any configuration of a continuous space."""

    space = Space({"x": Uniform(0.0, 1.0), "epochs": Fixed(27)})
    metrics = ("loss",)
    num_seeds = 1
    content_hash = "valley"

    def curve(self, config: Config, seed: int) -> Curve:
        self.space.validate(config)
        epochs = np.arange(1, 28)
        return Curve(epochs, (float(config["x"]) + 1.0 / epochs)[:, np.newaxis], 5.0 * epochs)


def valley(*, restricted: bool) -> Benchmark:
    return replace(toy_benchmark(), blackbox=Valley, space=Valley.space, restricted=restricted)


def test_what_is_restricted_has_a_list() -> None:
    check_benchmark(valley(restricted=False))
    with pytest.raises(ContractError, match="restricted to its table, which lists no configurations"):
        check_benchmark(valley(restricted=True))


def test_a_table_of_the_whole_space_may_be_restricted_to() -> None:
    check_benchmark(replace(toy_benchmark(), restricted=True))


def test_curves_that_end_elsewhere_are_found_on_tables_too() -> None:
    made = listed_table(table=lambda: toy_table(toy_space(27), max_epochs=9))
    assert isinstance(made.space, TableSpace)
    with pytest.raises(ContractError, match="curves end at 9"):
        check_benchmark(replace(listed_benchmark(), blackbox=lambda: made))
