"""The command with which somebody makes a change that `explain` found."""

from __future__ import annotations

from aldis.kernel.changes import (
    AddReleasability,
    Approve,
    Change,
    DraftInstrument,
    LiftHold,
    Reinstate,
    Relabel,
    SignInstrument,
)

__all__ = ["next_step"]


def next_step(change: Change, record_id: str) -> str:
    """The command, or nothing where the change is not made with one here."""
    match change:
        case Approve():
            return "`aldis desk list`, then `aldis desk approve N --because TEXT`"
        case LiftHold():
            return f"`aldis lift {record_id} --because TEXT`"
        case AddReleasability() | Relabel():
            return f"`aldis put --revise {record_id}` with --marking M, or --portion-marking NAME=M"
        case SignInstrument():
            return f"`aldis instrument sign {change.instrument}`"
        case Reinstate():
            return f"`aldis partner resume {change.node} --because TEXT`"
        case DraftInstrument():
            return "`aldis instrument draft FILE`"
        case _:
            instrument = getattr(change, "instrument", "")
            if not instrument:
                return ""
            return f"`aldis instrument show {instrument} --text > FILE`, mend it, `aldis instrument amend FILE`"
