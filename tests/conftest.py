"""Settings of all tests: how long an example takes is not what is tested; what a person has imported is left alone."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("hpoctl", deadline=None)
settings.load_profile("hpoctl")


@pytest.fixture(scope="session", autouse=True)
def data_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for imported data, empty, also for the processes that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HPOCTL_DATA", str(tmp_path_factory.mktemp("data")))
        yield
