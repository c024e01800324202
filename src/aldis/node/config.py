"""The node's settings: one TOML file; a flag beats `ALDIS_*`, which beats the file, which beats the default."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from aldis.app import System
from aldis.kernel.bundles import ITEM_LIMIT
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.frames import FRAME_LIMIT
from aldis.kernel.instruments import MOST_DAYS
from aldis.node.provider import Provider

__all__ = ["FILE", "Config", "Marking", "Rule", "check", "describe", "endpoint", "load", "loopback", "write"]

FILE = "aldis.toml"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long records of a kind, project and classification ("" for any) are kept, and what happens then.

    `delete` writes the version that says so, of this node's own records, `days` after they were last written; `erase`
    takes away the content of those that came from partners, `days` after they came.
    """

    kind: str = ""
    project: str = ""
    classification: str = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=36_525)]
    action: Literal["delete", "erase"]

    def __str__(self) -> str:
        """The rule in words."""
        parts = [self.kind or "records", f"of {self.project}" if self.project else "", self.classification]
        return f"{' '.join(part for part in parts if part)}: {self.action} after {self.days} days"


class Marking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Markings of some of what gateways put: that which has a kind, comes from a system ("" for any), and has a key.

    `key` is the id that the system gives it, such as `mmsi:503000001`; `*` stands for anything in it.
    """

    labels: dict[str, str]
    kind: str = "track"
    system: str = ""
    key: str = "*"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every setting of a node; `describe` lists them with their meaning."""

    node: str
    party: str
    policy: str
    ceiling: str
    categories: dict[str, list[str]] = {}
    algorithm: str = "ed25519"
    listen: str = "127.0.0.1:7461"
    url: str = ""
    http: str = ""
    http_certificate: str = ""
    http_key: str = ""
    batch: Annotated[int, msgspec.Meta(ge=1, le=ITEM_LIMIT)] = 500
    live_ms: Annotated[int, msgspec.Meta(ge=10, le=60_000)] = 100
    live_least_ms: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 5
    live_bytes: Annotated[int, msgspec.Meta(ge=8192, le=FRAME_LIMIT)] = 64 * 1024
    quarantine_mib: Annotated[int, msgspec.Meta(ge=1, le=1024 * 1024)] = 256
    partial_mib: Annotated[int, msgspec.Meta(ge=1, le=1024 * 1024)] = 2048
    checkpoint_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 60
    kas_url: str = ""
    session_idle_min: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 30
    session_h: Annotated[int, msgspec.Meta(ge=1, le=168)] = 12
    feeds: list[str] = []
    systems: list[System] = []
    pace: float = 1.0
    project: str = ""
    record: bool = False
    labels: dict[str, dict[str, str]] = {}
    marking: list[Marking] = []
    foreign: dict[str, str] = {}
    comply: bool = False
    meaning_model: str = ""
    retention: list[Rule] = []
    desk_days: Annotated[int, msgspec.Meta(ge=0, le=MOST_DAYS)] = 0
    oidc: Provider | None = None


_SYSTEM = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_PLAIN = re.compile(r"[A-Za-z0-9._:/@\[\]-]+")
_PORTS = 65_535
_MEANING = {
    "node": "name of this node, unique in the coalition: lower-case letters, digits and hyphens",
    "party": "the nation or organisation it belongs to: ISO 3166 alpha-3, or the organisation's code",
    "policy": "the label policy its people write labels in",
    "ceiling": "the highest classification it is accredited for, in that policy",
    "categories": "the caveats and compartments it is accredited for: in the table `[categories]` a list of values for"
    " each, `*` for every one; partners go by what it was when they paired",
    "algorithm": "signature algorithm, fixed at `aldis init`: ed25519, ecdsa-p384-sha384 or ed25519+ml-dsa-65",
    "listen": "address and port that partners connect to",
    "url": "where partners reach it, written into invitations; empty for https:// and the address above",
    "http": "address and port that people work at, by HTTP; empty for none",
    "http_certificate": "PEM file of the certificate that people's browsers trust; needed unless `http` is a loopback"
    " address",
    "http_key": "PEM file of that certificate's key",
    "batch": "most records in one bundle",
    "live_ms": "milliseconds in which a partner is sent at most `live_bytes` of live frames",
    "live_least_ms": "milliseconds between two live frames to a partner, at least",
    "live_bytes": "most bytes of one live frame to a partner; what does not fit waits for the next",
    "quarantine_mib": "most MiB of what was set aside; when full, nothing more is admitted until it is looked through",
    "partial_mib": "most MiB of attachments under way from each partner, and from each person, before they are whole",
    "checkpoint_s": "seconds between two checkpoints of the ledger that partners are asked to cosign",
    "kas_url": "where OpenTDF's SDKs reach this node's key-access server, https and ending in /kas; empty for none",
    "session_idle_min": "minutes after which a session that nobody uses is over",
    "session_h": "hours after which a session is over, used or not",
    "feeds": "partners that a one-way feed reaches: `aldis up` does not call them, and `aldis feed` writes files",
    "systems": "systems of this nation that are connected: `[[systems]]` tables, see below",
    "pace": "how many times faster than it was made a recording is played",
    "project": "the project of what gateways put",
    "record": "record what systems say and what they are sent, in the folder `recordings` of this node",
    "comply": "erase at once what a partner recalls; without it, this node's operator does, or refuses",
    "meaning_model": "folder of another embedding model for searches by meaning: `config.json`, `tokenizer.json` and"
    " `model.safetensors` of a BERT encoder; empty for the one that is installed",
    "retention": "how long records are kept: `[[retention]]` tables with `days`, `action` (`delete` for what this"
    " node wrote, `erase` for what partners sent), and `kind`, `project` and `classification` where not all are meant",
    "desk_days": "days within which release officers decide what waits, where its clause does not say; 0 for no day",
    "oidc": "the OpenID provider that people may sign in at: the table `[oidc]`, see below",
    "labels": "default markings of what gateways put: a table for each kind, with `header` and each portion",
    "marking": "markings of some of it: `[[marking]]` tables, of which the first that fits counts: `labels` for the"
    " portions that are marked otherwise; `system`, `key` (`mmsi:503*`) and `kind` (`track`) for what it fits",
    "foreign": "what a system's own words about who may have something come to, in the table `[foreign]`, as in"
    ' `"caveat=FOUO" = "OFFICIAL: Sensitive"`; other words put it under the join of all its markings',
}


def describe() -> Mapping[str, tuple[Any, str]]:
    """Each setting with its default (None where it must be given) and its meaning."""
    fields = {field.name: field for field in msgspec.structs.fields(Config)}
    return {
        name: (None if fields[name].required else _default(fields[name]), meaning) for name, meaning in _MEANING.items()
    }


def _default(field: msgspec.structs.FieldInfo) -> Any:
    found = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return {} if found is None else found


def load(home: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Config:
    """The settings in force at `home`.

    Raises:
        InvalidInput: no settings file, not TOML, or a value of the wrong type or that cannot be.
        UnknownTerm: a setting that does not exist, in the file or as `ALDIS_*`.
    """
    path = home / FILE
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise InvalidInput(f"no node at {home}: {FILE} is missing", fix="Make one with `aldis init`") from error
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", fix="Check its permissions") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is not TOML: {error}") from error
    _known(settings, str(path))
    from_environment = {
        name.removeprefix("ALDIS_").lower(): value
        for name, value in environment.items()
        if name.startswith("ALDIS_") and name not in _NOT_SETTINGS
    }
    _known(from_environment, "the environment (ALDIS_*)")
    merged = {**settings, **from_environment, **{k: v for k, v in (flags or {}).items() if v is not None}}
    try:
        config = msgspec.convert(merged, Config, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{path}: {error}", fix="See `aldis config --help`") from error
    check(config)
    return config


def check(config: Config) -> None:
    """Return if the addresses can be listened at and connected to.

    Raises:
        InvalidInput: `listen`, `http`, `url`, `kas_url` or the OpenID provider cannot be, or passwords would cross a
            network in clear.
    """
    _check_kas(config.kas_url)
    endpoint(config.listen)
    names = Counter(system.name for system in config.systems)
    for name, count in names.items():
        if count > 1 or not _SYSTEM.fullmatch(name):
            raise InvalidInput(
                f"`[[systems]]`: {count} are called {name!r}" if count > 1 else f"a system cannot be called {name!r}",
                fix="Give each a name of its own: lower-case letters, digits and hyphens, at most 32",
            )
    if config.oidc is not None:
        config.oidc.check()
    if config.http:
        host, _ = endpoint(config.http, "http")
        if bool(config.http_certificate) is not bool(config.http_key):
            raise InvalidInput("one of `http_certificate` and `http_key` is missing", fix="Give both, or neither")
        if not config.http_certificate and not loopback(host):
            raise InvalidInput(
                f"`http` is {config.http!r}, which others reach, and passwords would cross the network in clear",
                fix="Give `http_certificate` and `http_key`, or use 127.0.0.1",
            )
    if not config.url:
        return
    try:
        parts = urlsplit(config.url)
        sound = parts.scheme == "https" and parts.hostname and parts.port != 0 and parts.path in ("", "/")
    except ValueError:
        sound = False
    if not sound or not _PLAIN.fullmatch(config.url) or "@" in config.url or parts.query or parts.fragment:
        raise InvalidInput(
            f"the setting `url` cannot be {config.url!r}",
            fix="Write it as https://host:port, or leave it out for https:// and the address in `listen`",
        )


def loopback(host: str) -> bool:
    """Whether an address is this machine's own, so that nothing sent to it crosses a network; a name never is."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def endpoint(listen: str, setting: str = "listen") -> tuple[str, int]:
    """Host and port of a setting such as `listen`; 0 asks for any free port.

    Raises:
        InvalidInput: not a host and a port.
    """
    host, _, port = listen.rpartition(":")
    if not _HOST.fullmatch(host) or not re.fullmatch("[0-9]{1,5}", port) or int(port) > _PORTS:
        raise InvalidInput(
            f"the setting `{setting}` cannot be {listen!r}",
            fix=f"Write it as host:port, such as 127.0.0.1:7461; a port is at most {_PORTS}",
        )
    return host.strip("[]"), int(port)


def write(home: Path, config: Config) -> None:
    """Write the settings that differ from their defaults."""
    lines = ["# Settings of this node; `aldis config` lists all, with what is in force."]
    tables = []
    for name, (default, _) in describe().items():
        value = getattr(config, name)
        if value is None or value == default:
            continue
        if name in ("retention", "systems", "marking"):
            for rule in value:
                tables += ["", f"[[{name}]]"]
                tables += [f"{key} = {_text(one)}" for key, one in msgspec.to_builtins(rule).items() if one != ""]
        elif isinstance(value, dict | Provider):
            tables += _table(name, msgspec.to_builtins(value))
        else:
            lines.append(f"{name} = {_text(value)}")
    (home / FILE).write_text("\n".join([*lines, *tables]) + "\n", "utf-8")


def _table(name: str, values: Mapping[str, Any]) -> list[str]:
    """A table, and those in it after it; what is empty is left out."""
    held = {key: value for key, value in values.items() if value not in ("", [], {})}
    plain = [f"{_text(key)} = {_text(value)}" for key, value in held.items() if not isinstance(value, dict)]
    below = [line for key, value in held.items() if isinstance(value, dict) for line in _table(f"{name}.{key}", value)]
    return [*(["", f"[{name}]", *plain] if plain else []), *below]


def _text(value: Any) -> str:
    """A string, number or list as TOML, which for these writes them as JSON does; a table in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_text(key)} = {_text(one)}" for key, one in value.items()) + " }"
    return msgspec.json.encode(value).decode()


def _check_kas(url: str) -> None:
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1")
        sound = safe and parts.hostname and parts.port != 0 and parts.path == "/kas"
    except ValueError:
        sound = False
    if url and (not sound or not _PLAIN.fullmatch(url) or "@" in url or parts.query or parts.fragment):
        raise InvalidInput(
            f"the setting `kas_url` cannot be {url!r}",
            fix="Write it as https://host:port/kas; http only for 127.0.0.1",
        )


_GONE = {"sources": "Write a table `[[systems]]` with `name` and `address` for each"}
_NOT_SETTINGS = frozenset({"ALDIS_HOME", "ALDIS_CACHE", "ALDIS_TEST_DATA"})


def _known(settings: Mapping[str, Any], where: str) -> None:
    for name in settings:
        if name not in _MEANING:
            near = difflib.get_close_matches(name, _MEANING, 1)
            hint = f"Did you mean {near[0]!r}?" if near else "`aldis config` lists the settings"
            hint = _GONE.get(name, hint)
            raise UnknownTerm(f"unknown setting {name!r} in {where}", fix=hint)
