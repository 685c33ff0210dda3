"""What is chosen before any experiment says so."""

from runner.config.reading.shipped import chosen_always
from runner.project import option_files, option_groups


def test_each_group_of_ours_has_its_place_and_what_is_chosen_is_there():
    chosen = chosen_always()
    assert sorted(chosen) == option_groups()
    for group, option in chosen.items():
        names = option if isinstance(option, list) else [option]
        assert {name for name in names if name} <= {*option_files(group)}
