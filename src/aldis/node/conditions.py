"""What `aldis doctor` looks at beside the store itself: settings, files, certificate, backups, clocks and habits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

from aldis.kernel.errors import AldisError, InvalidInput
from aldis.node.backup import LAST
from aldis.node.config import endpoint
from aldis.node.exchange import clock_of
from aldis.node.node import Node
from aldis.node.repetitions import uncosigned
from aldis.node.service import RUNNING

__all__ = ["Check", "conditions", "partner_conditions", "tried"]

_DAY_MS = 86_400_000
_BACKUP_DAYS = 7
_EXPIRES = timedelta(days=30)
_SKEW_MS = 60_000
_STREAK, _STREAK_MS = 3, 600_000
_ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - looked for, not listened at


@dataclass(frozen=True, slots=True)
class Check:
    """One check: True it holds, False it fails, None it could not be told; `cause` in words, `fix` what to do."""

    name: str
    ok: bool | None
    cause: str = ""
    fix: str = ""


def tried(name: str, check: Callable[[], Check]) -> Check:
    """The check, failed where it raises."""
    try:
        return check()
    except AldisError as error:
        return Check(name, ok=False, cause=str(error.args[0]), fix=error.fix)


def conditions(node: Node) -> Iterator[Check]:
    """Each of these checks, as it is done."""
    yield tried("settings", lambda: _settings(node))
    yield _permissions(node)
    yield tried("certificate", lambda: _certificate(node))
    yield _schema(node)
    yield _last_backup(node)
    yield from _policies(node)
    for known in node.partners.all():
        if known.active:
            yield from partner_conditions(node, known.node)


def partner_conditions(node: Node, name: str) -> Iterator[Check]:
    """What is wrong with how a partner's clock goes, and with how it cosigns; nothing where all is well."""
    yield from _clock(node, name)
    yield from _cosigning(node, name)


def _settings(node: Node) -> Check:
    core = node.core
    core.policies.policy(core.config.policy).rank(core.config.ceiling)
    core.policies.check_accreditation(core.config.categories)
    for name in core.config.feeds:
        node.partners.get(name)
    if endpoint(core.config.listen)[0].strip("[]") in _ANYWHERE and not core.config.url:
        raise InvalidInput(
            f"partners are told to call {core.config.listen}, which is no address of this machine",
            fix="Set `url` to where they reach it, https://host:port",
        )
    return Check("settings", ok=True, cause="they go together")


def _permissions(node: Node) -> Check:
    """What nobody but its owner may read; `keys` says so of each key."""
    home = node.core.home
    secrets = [home.path / "keys", home.store, *(home.path / "keys").glob("*.secret"), *node.core.store.older_copies()]
    open_ = [path for path in secrets if path.exists() and path.stat().st_mode & 0o077]
    if open_:
        cause = f"others may look into {', '.join(str(path) for path in open_)}"
        return Check("permissions", ok=False, cause=cause, fix=f"chmod go= {' '.join(str(path) for path in open_)}")
    return Check("permissions", ok=True, cause="keys and store are open to their owner alone")


def _certificate(node: Node) -> Check:
    home = node.core.home
    try:
        found = x509.load_pem_x509_certificate(home.certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{home.certificate} cannot be read", fix="Restore it from your backup") from error
    now = datetime.fromtimestamp(node.core.clock.now() / 1000, UTC)
    fix = "Begin a new node, and pair with each partner again"
    if not found.not_valid_before_utc <= now < found.not_valid_after_utc:
        return Check("certificate", ok=False, cause="it does not hold now, and no partner connects", fix=fix)
    if found.not_valid_after_utc - now < _EXPIRES:
        until = f"it ends on {found.not_valid_after_utc:%Y-%m-%d}"
        return Check("certificate", ok=False, cause=until, fix=fix)
    return Check("certificate", ok=True, cause=f"it holds until {found.not_valid_after_utc:%Y}")


def _schema(node: Node) -> Check:
    store = node.core.store
    cause, copies = f"version {store.schema}", [path.name for path in store.older_copies()]
    if copies:
        cause += f"; as it was before an upgrade it lies in {', '.join(copies)}, with all that was erased since"
        return Check("schema", ok=None, cause=f"{cause}; delete that once all works")
    return Check("schema", ok=True, cause=cause)


def _last_backup(node: Node) -> Check:
    made = node.core.store.meta.number(LAST)
    if not made:
        return Check("last backup", ok=None, cause="none was made here yet; `aldis backup FILE` makes one")
    days = (node.core.clock.now() - made) // _DAY_MS
    cause = f"{days} days ago" if days != 1 else "1 day ago"
    old = days >= _BACKUP_DAYS
    return Check(
        "last backup", ok=not old, cause=cause, fix="`aldis backup FILE`, and keep it elsewhere" if old else ""
    )


def _policies(node: Node) -> Iterator[Check]:
    running = node.core.store.meta.get(RUNNING)
    if running and running != node.core.policies.digest:
        cause = "the running node goes by the policies of before; others were taken in or accepted since it started"
        yield Check("policies", ok=False, cause=cause, fix="Restart `aldis up`")


def _clock(node: Node, name: str) -> Iterator[Check]:
    ahead = int(node.core.store.meta.get(clock_of(name)) or b"0")
    if abs(ahead) >= _SKEW_MS:
        cause = f"its clock is {abs(ahead) // 1000:,} s {'ahead of' if ahead > 0 else 'behind'} this node's"
        yield Check(
            f"clock of {name}", ok=False, cause=cause, fix="Compare both with a time server; mend the wrong one"
        )


def _cosigning(node: Node, name: str) -> Iterator[Check]:
    since, times = uncosigned(node.core.store, name)
    if times >= _STREAK and node.core.clock.now() - since >= _STREAK_MS:
        began = datetime.fromtimestamp(since / 1000, UTC)
        cause = f"not cosigned since {began:%Y-%m-%d %H:%M} UTC: it greets as if this node had cosigned another size"
        fix = f"Ask the operator of {name} whether its node keeps what it is told, and is of a current version"
        yield Check(f"cosigning {name}", ok=False, cause=cause, fix=fix)
