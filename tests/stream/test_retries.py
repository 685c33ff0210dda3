"""What may pass is read again, anything else is told at once."""

import pytest

from runner.errors import DatasetError
from runner.stream import retries
from runner.stream.retries import is_transient, retried


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Keep the pauses instead of making them."""
    made = []
    monkeypatch.setattr(retries.time, "sleep", made.append)
    return made


class Failing:
    def __init__(self, *errors):
        self.errors, self.calls = list(errors), 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "rows"


def caused(error):
    mistake = DatasetError("The file a", "be readable", got="none", remedy="Mend it.")
    mistake.__cause__ = error
    return mistake


@pytest.mark.parametrize(
    "error",
    [OSError("gone"), ConnectionResetError(), TimeoutError(), BlockingIOError()],
    ids=repr,
)
@pytest.mark.parametrize("wrapped", [lambda error: error, caused, lambda e: caused(caused(e))])
def test_an_error_of_the_system_may_pass_also_as_the_cause_of_one_of_ours(error, wrapped, pauses):
    read = Failing(wrapped(error), wrapped(error))
    assert retried(read, 2) == "rows"
    assert read.calls == 3
    assert pauses == [0.1, 0.5]


@pytest.mark.parametrize(
    "error",
    [
        *(FileNotFoundError(), PermissionError(), IsADirectoryError(), NotADirectoryError()),
        *(ValueError("gone"), MemoryError(), caused(ValueError()), caused(FileNotFoundError())),
        caused(None),
    ],
    ids=repr,
)
def test_any_other_error_is_raised_at_once(error, pauses):
    read = Failing(error)
    with pytest.raises(type(error)):
        retried(read, 5)
    assert read.calls == 1
    assert pauses == []
    assert not is_transient(error)


@pytest.mark.parametrize("tries", [0, 1, 4])
def test_what_does_not_pass_is_raised_after_the_last_try(tries, pauses):
    read = Failing(*(OSError(str(i)) for i in range(9)))
    with pytest.raises(OSError, match=f"^{tries}$"):
        retried(read, tries)
    assert read.calls == tries + 1
    assert pauses == [0.1, 0.5, 0.5, 0.5][:tries]
