"""What `aldis doctor` looks at: each check by name, its cause where it fails, and the fix."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

from aldis.kernel.encoding import unb64
from aldis.kernel.errors import AldisError
from aldis.kernel.ledger import verify_checkpoint, verify_cosignature
from aldis.node.amounts import count, size
from aldis.node.app_states import app_state
from aldis.node.conditions import Check, conditions, tried
from aldis.node.core import ledger_name
from aldis.node.exchange import problem_of
from aldis.node.node import Node
from aldis.node.partners import Known
from aldis.node.restored import restored

__all__ = ["Check", "partner_checks", "run_checks"]

_LEAST_FREE = 256 * 1024 * 1024
_SKEW_MS = 60_000


def run_checks(node: Node, *, quick: bool = False) -> Iterator[Check]:
    """Every check, each as it is done; the `quick` ones leave out what reads the whole store."""
    yield tried("keys", lambda: _keys(node))
    if not quick:
        yield tried("store", lambda: _store(node))
        yield tried("ledger", lambda: _ledger(node))
    yield from conditions(node)
    yield from _backup(node)
    yield from _erasure(node)
    yield from _meaning(node)
    yield _disk(node)
    yield _clock(node)
    yield _quarantine(node)
    yield _desk(node)
    yield from _attachments(node)
    yield from _apps(node)
    yield from _systems(node)
    for known in node.partners.all():
        yield from partner_checks(node, known)


def partner_checks(node: Node, known: Known) -> Iterator[Check]:
    """How the exchange with a partner goes, and whether its ledger was refused here."""
    yield tried(f"partner {known.node}", lambda: _partner(node, known.node))
    refused = node.audit.refused(known.node, unb64(known.sheet.ledger_key))
    if refused is not None:
        yield Check(f"ledger of {known.node}", ok=False, cause=str(refused.args[0]), fix=refused.fix)


def _systems(node: Node) -> Iterator[Check]:
    """What each connected system acts as, and whether that lets it see anything."""
    for system in node.core.config.systems:
        name = f"system {system.name}"
        if not system.person:
            yield Check(name, ok=True, cause="it acts as no account, and is shown nothing")
        elif node.people.standing(system.person) is None:
            cause = f"it acts as {system.person!r}, which is no account here or is suspended: it is shown nothing"
            yield Check(
                name, ok=False, cause=cause, fix=f"`aldis person add {system.person}`, or `aldis person resume`"
            )
        else:
            yield Check(name, ok=True, cause=f"it is shown what {system.person} may see")


def _keys(node: Node) -> Check:
    home = node.core.home
    home.signer(node.core.signer.public.algorithm)
    home.ledger_signer()
    home.secret()
    return Check(
        "keys", ok=True, cause=f"{node.core.signer.public.algorithm.value}, key {node.core.signer.public.id[:12]}"
    )


def _store(node: Node) -> Check:
    found = node.core.store.check()
    if found:
        return Check("store", ok=False, cause="; ".join(found[:3]), fix="Keep the file and restore a backup")
    return Check("store", ok=True, cause=f"{node.core.home.store} is sound, its search index too")


def _ledger(node: Node) -> Check:
    leaves, notes = node.audit.verify()
    held = node.core.store.ledger.checkpoint()
    names = []
    if held is not None:
        verify_checkpoint(held[1], node.core.ledger, node.core.note_signer.public)
        for known in node.partners.all():
            try:
                verify_cosignature(held[1], ledger_name(known.node), unb64(known.sheet.ledger_key))
                names.append(known.node)
            except AldisError:
                continue
    cosigned = f"the newest cosigned by {', '.join(names)}" if names else "the newest cosigned by nobody yet"
    return Check(
        "ledger", ok=True, cause=f"{count(leaves, 'leaf', 'leaves')}, {count(notes, 'checkpoint')}, {cosigned}"
    )


def _backup(node: Node) -> Iterator[Check]:
    """Whether the store was restored, and still waits for an epoch to begin."""
    mark = restored(node.core.store)
    if mark is not None:
        made = datetime.fromtimestamp(mark.made / 1000, UTC)
        cause = f"this store was restored from a backup of {made:%Y-%m-%d %H:%M} UTC, and sends nothing"
        fix = "See that no other copy of this node runs, then `aldis doctor --new-epoch all`"
        yield Check("backup", ok=False, cause=cause, fix=fix)


def _erasure(node: Node) -> Iterator[Check]:
    """Whether something erased has yet to leave the store's file."""
    if node.core.store.erasure.due:
        cause = "content was erased, and the store is not yet written anew: free pages may hold it"
        yield Check(
            "erasure", ok=False, cause=cause, fix="`aldis retention run`; a running node does it within the hour"
        )


def _meaning(node: Node) -> Iterator[Check]:
    """How far the index by meaning is, where somebody began one."""
    state = node.meaning.state()
    if not state.begun:
        return
    if state.problem:
        yield Check("search by meaning", ok=False, cause=state.problem, fix=state.fix)
        return
    cause = f"{count(state.windows, 'passage')} indexed, {count(state.waiting, 'record')} waiting"
    yield Check("search by meaning", ok=True, cause=cause)


def _disk(node: Node) -> Check:
    free = shutil.disk_usage(node.core.home.path).free
    cause = f"{size(free)} free"
    return Check("disk", ok=free >= _LEAST_FREE, cause=cause, fix="" if free >= _LEAST_FREE else "Free some space")


def _clock(node: Node) -> Check:
    now, last = node.core.clock.now(), node.core.store.ledger.last_at()
    if last > now + _SKEW_MS:
        behind = (last - now) // 1000
        cause = f"the clock is {behind} s behind the newest ledger leaf"
        return Check("clock", ok=False, cause=cause, fix="Set the clock: what was written since is dated in the future")
    return Check("clock", ok=True, cause="not behind the ledger")


def _quarantine(node: Node) -> Check:
    used, limit = node.core.store.quarantine.size(), node.core.config.quarantine_mib * 1024 * 1024
    cause = f"{count(node.core.store.quarantine.count(), 'entry', 'entries')}, {size(used)} of {size(limit)}"
    full = used > limit * 0.9
    return Check(
        "quarantine", ok=not full, cause=cause, fix="`aldis quarantine list`, then retry or drop" if full else ""
    )


def _desk(node: Node) -> Check:
    """Whether something waits for a release officer whose day has passed."""
    late = node.desk.overdue()
    cause = f"{count(late, 'case')} overdue" if late else "nothing is overdue"
    return Check("desk", ok=not late, cause=cause, fix="`aldis desk list --due`, then rule or defer" if late else "")


def _attachments(node: Node) -> Iterator[Check]:
    """Contents whose files are missing, and what does not move; nothing where there are no attachments."""
    contents = node.core.store.attachments.contents()
    missing, stuck = node.attachments.missing(), node.attachments.stuck()
    if missing:
        cause = f"{count(len(missing), 'content')} missing or cut short: {', '.join(one[:12] for one in missing[:3])}"
        yield Check("attachments", ok=False, cause=cause, fix="Restore them from a backup into `attachments/`")
    elif stuck:
        fix = (
            "`aldis attachments` names them; `aldis attachments retry ID` asks again for what was refused, and with"
            " --to NODE, at the node that sends, offers all of it again"
        )
        yield Check("attachments", ok=False, cause="; ".join(stuck[:3]), fix=fix)
    elif contents:
        held = sum(length for _, length in contents)
        yield Check("attachments", ok=True, cause=f"{count(len(contents), 'content')}, {size(held)}")


def _apps(node: Node) -> Iterator[Check]:
    """Each app that has ever run beside this node."""
    for name in node.apps:
        found = app_state(node.core.store, name)
        if found is not None and found.state == "failed":
            yield Check(f"app {name}", ok=False, cause=f"it has failed: {found.cause}", fix=_again(found.fix))
        elif found is not None and found.state == "running" and found.cause:
            yield Check(f"app {name}", ok=False, cause=found.cause, fix=found.fix)
        elif found is not None:
            yield Check(f"app {name}", ok=True, cause="did not fail when it last ran")


def _again(fix: str) -> str:
    return f"{fix.rstrip('.')}. Then start `aldis up` again" if fix else "Start `aldis up` again"


def _feed(node: Node, name: str) -> Check:
    """A one-way feed: whether what the other side says it wrote is here, and whether it speaks at all."""
    heard, gone = node.feeds.heartbeats.heard(name), node.feeds.heartbeats.missing(name)
    cause = f"fed one way; {node.feeds.kept(name)} can be written again"
    if heard is None:
        return Check(f"partner {name}", ok=True, cause=cause)
    if gone is not None:
        cause = f"items {gone[0]:,} to {gone[1]:,} were written there and never came"
        fix = f"Ask the operator of {name} to run `aldis feed again {node.name} DIR --from {gone[0]} --to {gone[1]}`"
        return Check(f"partner {name}", ok=False, cause=cause, fix=fix)
    silent = (node.core.clock.now() - heard.at) // 60_000
    if silent * 60_000 > 2 * heard.every:
        cause = f"nothing heard for {silent:,} minutes; it speaks every {heard.every // 60_000:,}"
        fix = f"Ask the operator of {name} whether `aldis feed out` runs, and look at what carries the files"
        return Check(f"partner {name}", ok=False, cause=cause, fix=fix)
    return Check(f"partner {name}", ok=True, cause=f"{cause}; heard {silent:,} minutes ago")


def _partner(node: Node, name: str) -> Check:
    known, meta = node.partners.get(name), node.core.store.meta
    if not known.active:
        return Check(f"partner {name}", ok=None, cause=f"{known.status.value}: nothing passes", fix="")
    waiting = node.core.store.exchange.sealed(name, 1000)
    acknowledged = node.core.store.partners.acknowledged(name)
    cause = (
        f"acknowledged up to item {acknowledged.seq if acknowledged else 0:,}, {count(len(waiting), 'bundle')} waiting"
    )
    if name in node.core.config.feeds:
        return _feed(node, name)
    problem = (meta.get(problem_of(name)) or b"").decode()
    if problem:
        what, _, fix = problem.partition("\n")
        return Check(
            f"partner {name}", ok=False, cause=f"{cause}; {what}", fix=fix or f"Ask the operator of {name} to see to it"
        )
    return Check(f"partner {name}", ok=True, cause=cause)
