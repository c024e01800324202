"""Words for times: any number that a partner's record may give can be shown."""

from __future__ import annotations

import pytest

from aldis.interfaces.cli.text import day, moment

_LAST = 253_402_300_799_999


def test_instants_are_shown_to_the_minute_and_the_day() -> None:
    assert (moment(0), day(0)) == ("1970-01-01 00:00 UTC", "1970-01-01")
    assert (moment(_LAST), day(_LAST)) == ("9999-12-31 23:59 UTC", "9999-12-31")


@pytest.mark.parametrize("at", [_LAST + 1, 2**53 - 1, 2**63, -(2**63)])
def test_what_no_calendar_here_has_is_shown_as_its_number(at: int) -> None:
    assert moment(at) == day(at) == f"{at} ms"
