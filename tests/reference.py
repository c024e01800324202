"""Write `docs/reference/` from the program itself: `python -m tests.reference`; a test holds the pages against it."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import getdoc, getsource, isclass, isfunction, signature
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import click
import msgspec
from msgspec import NODEFAULT, structs, to_builtins

from aldis import testing
from aldis.app import System, find_apps
from aldis.interfaces.api.openapi import write
from aldis.interfaces.api.operations import Operation
from aldis.interfaces.api.problems import PROBLEMS, TYPE
from aldis.interfaces.api.table import operations
from aldis.interfaces.cli.exits import EXITS, failure
from aldis.interfaces.cli.main import TABLE, cli
from aldis.kernel import errors
from aldis.kernel.authority import AUTHORITY
from aldis.kernel.errors import AldisError
from aldis.node import config, provider
from aldis.testing import ATTACKS, Coalition, Hostile

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
OPENAPI = FOLDER.parents[1] / "spec" / "openapi.json"
_MADE = "<!-- Written by `python -m tests.reference` from the program itself: change that, not this page. -->\n"
_FROM_HERE = _MADE.replace("Written", "From here on written").replace("this page", "this part")
_WIDTH = 100

_CLI = """\
# Command line

`aldis` is one command with many below it. `aldis COMMAND --help` shows what each takes; `aldis --home DIR` (or
`ALDIS_HOME`) says which node is meant, before or after the command.

## Manners

- Data goes to stdout and talk to stderr, so that `aldis list | cut -f1` works. Where stdout is no terminal, a list is a
  line for each row with a tab between its fields, and nothing is folded.
- `--json`, before or after any command, writes the data as one JSON value and says nothing else. Times in it are
  milliseconds since 1970 UTC. An error is one line of JSON on stderr:
  `{"error": {"code", "message", "fix", "exit"}}`; the codes are in [errors](errors.md).
- Progress is shown on a terminal only; `NO_COLOR` is honoured, and colour never says anything that words do not.
- Questions are asked on a terminal only, and each has an option that answers it.
- No secret is ever taken from the command line: keys stay in the node's folder.

## Exit codes

| code | meaning |
|---|---|
"""

_COMPLETION = """
## Shell completion

| shell | once |
|---|---|
| bash | add `eval "$(aldis completion bash)"` to `~/.bashrc` |
| zsh | add `eval "$(aldis completion zsh)"` to `~/.zshrc` |
| fish | `aldis completion fish > ~/.config/fish/completions/aldis.fish` |

## Markings

Wherever a marking is asked for, write it as the node's own policy does: `SECRET//REL AUS/GBR` at an Australian node,
`UK SECRET – UK / AUS EYES ONLY` at a British one. Begin with another policy's name and a colon to mark in that one:
`US: SECRET//REL TO USA, AUS`. A marking in parentheses is a portion mark. A marking of another policy is shown the
same way.
"""

_CONFIG = """\
# Settings

A node's settings are in `aldis.toml` in its folder. A flag beats `ALDIS_NAME` in the environment, which beats the file,
which beats the default; a setting that does not exist is an error. `aldis config` shows what is in force and where each
value came from.

| setting | environment | default | meaning |
|---|---|---|---|
"""

_OIDC = """
## OpenID Connect

The table `[oidc]` names the provider that people may [sign in](../how-to/sign-in-with-openid-connect.md) at.

| setting | default | meaning |
|---|---|---|
"""

_SYSTEMS = """
## Systems

Each table `[[systems]]` connects a system of this node's nation; [how to](../how-to/connect-a-system.md).

| setting | default | meaning |
|---|---|---|
"""
_SYSTEM = {
    "name": "its name at this node: lower-case letters, digits and hyphens",
    "address": "where it is: `udp://HOST:PORT` to listen at, `tcp://` or `tls://` to connect to, `tcp-listen://` or"
    " `tls-listen://` to wait at, or the path of a recording. The protocol and a `+` before it, as in `cot+tcp://`, say"
    " what it speaks; without them that is told from what arrives",
    "mapping": "the file that describes a protocol of its own",
    "person": "the account of this node as which it acts: it is sent what that account may see; empty for nothing",
    "reckon": "between reports send it, every second, where a track of what it was sent is by"
    " [dead reckoning](../explanation/interoperability.md#dead-reckoning), where its protocol can say that this is a"
    " prediction",
    "tasking": "whether it may be given tasks that its own nation accepted or lent it for; MAVLink vehicles can",
}

_API = """\
# HTTP API

People and their programs work at a node over HTTP; [how to](../how-to/use-the-http-api.md). The same in OpenAPI 3.1 is
`spec/openapi.json`, served at `/api/v1/openapi.json`. What is answered when something is wrong is in
[problems](http-problems.md).

- A request carries `Authorization: Bearer TOKEN`, a token that `POST /api/v1/sign-in` gave. The API takes no cookie.
- Every answer is for the person at their level: what they may not know of is answered as what does not exist.
- A name in braces is a segment of the path. Other fields are in the query for GET and DELETE, and in a JSON body for
  POST and PUT; unknown ones are errors. Times are milliseconds since 1970 UTC, digests lower-case hexadecimal.
- Lists are paged: `next` in the body, and a `Link` with `rel="next"`, hold an opaque cursor for the same person and
  question; it is empty where nothing follows. No list says how many there are.
- The `ETag` of a record is its digest. It names the version, not which of its portions you see: after a change of
  level, drop what you hold. A revision and a deletion need `If-Match`; a reading heeds `If-None-Match`.
- A POST may carry an `Idempotency-Key` of your choice. For 24 hours the same request with it is done once and
  answered alike, with `Idempotency-Replayed: true`; another request, level or account with it is refused. An answer
  with a secret in it is never kept.
- A case at the release desk has its `token` as `ETag`; a ruling needs `If-Match` with it, and is refused (412) once
  anything that it would rest on has changed. The `ETag` of an attachment is the SHA-256 of its content.
- The body of `PUT /api/v1/uploads/{upload}` is bytes, `application/octet-stream`, which begin at `Upload-Offset`. What
  came before a cut stays; the answer, and a 409, say in `Upload-Offset` where to go on. An attachment is read whole or
  by `Range`, as `application/octet-stream` and for keeping only: what it is stands in the record.
- `live` and `changes` are server-sent events. They have no ids and `Last-Event-ID` is not heeded: what was missed is
  not told again. They end when the session does, or its level, within a second; a comment is sent every 10 s; whoever
  reads too slowly loses the oldest.
- Instruments are signed, and partners paired, by the operator at the machine: there is no operation for it. Nor is
  there one for an inquiry, whose files are written there.

| limit | |
|---|---|
| requests of a person | 50 a second, 200 at once |
| requests that name no session, of an address | 5 a second, 40 at once |
| connections | 1,024, of which 512 of one address; behind a proxy, all are of one |
| streams of a person | 8 |
| uploads and downloads of a person | 8 at once, an hour each; an upload that stands still ends after 30 s |
| files that a person brings in | 8 under way, together `partial_mib`; 1,000 and 16 GiB in a day |
| a file that no record names | is kept for a day |
| path, query and headers together | 16 KiB, within 10 s |
| body | 256 KiB, of an import 8 MiB, of a record 16 MiB, within 30 s; read only once the session and the role hold |
| nesting of a value | 32 |
| keys of a person | 1,000 in 24 hours |

## Health

| path | answers | for |
|---|---|---|
| `GET /healthz` | `{"alive": true}` | anybody |
| `GET /readyz` | `{"ready": true}`, or 503: no writing to the store, or it was restored and waits | anybody |
| `GET /metrics` | Prometheus's text format: requests, times, sizes, what partners have yet to receipt | administrator |

`/metrics` is also for whoever has the token in `metrics.token` in the node's folder, which only its owner can read. It
is for no address alone: behind a proxy, everybody comes from the same.
"""

_PROBLEMS = """\
# Problems of the HTTP API

Whatever is no success is a problem as RFC 9457 has it, `application/problem+json`: `type`, `title`, `status`, `detail`,
`fix` (what to do next), `reasons`, and `instance`, the id of the request, which the node's log and the header
`X-Request-Id` have too. The `type` is stable. A thing that is not there and a thing that you may not know of are the
same problem.

| type | status | title | when |
|---|---|---|---|
"""

_ERRORS = """
The code is stable: it stands in `--json` errors, in the answers of a partner's port and in quarantine. Where an error
has no advice of its own, the one in the last column is given.

| code | error | exit code | meaning | what to do |
|---|---|---|---|---|
"""

_OTHERS = """
Beside these, `usage` (exit code 2) is a command that is not written as it must be, `system` (1) a refusal of the
machine, such as a file that cannot be read, and `interrupted` (130) Ctrl-C.
"""


def pages() -> dict[str, str]:
    """Every page by its file name."""
    made = {
        "cli.md": _cli(), "config.md": _config(), "errors.md": _errors(), "testing.md": _testing(),
        "http-api.md": _http_api(), "http-problems.md": _http_problems(),
    }  # fmt: skip
    return {name: "".join(parts) for name, parts in made.items()}


def _cli() -> Iterator[str]:
    yield _MADE + _CLI
    yield from (f"| {number} | {meaning} |\n" for number, meaning in EXITS.items())
    yield _COMPLETION
    root = click.Context(cli, info_name="aldis", terminal_width=_WIDTH, help_option_names=["-h", "--help"])
    for heading in dict.fromkeys(entry.heading for entry in TABLE.values()):
        yield f"\n## {heading}\n"
        for name in [name for name, entry in TABLE.items() if entry.heading == heading]:
            command = cli.get_command(root, name)
            if command is not None:
                yield from _command(command, name, root)


def _command(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    ctx = click.Context(command, info_name=name, parent=parent)
    lines = [line.rstrip() for line in command.get_help(ctx).splitlines()]
    yield f"\n### {ctx.command_path}\n\n```text\n{chr(10).join(lines)}\n```\n"
    if isinstance(command, click.Group):
        for below in sorted(command.commands):
            yield from _command(command.commands[below], below, ctx)


def _config() -> Iterator[str]:
    yield _MADE + _CONFIG
    for name, (default, meaning) in config.describe().items():
        shown = "given at `aldis init`" if default is None else f"`{json.dumps(default)}`"
        yield f"| `{name}` | `ALDIS_{name.upper()}` | {shown} | {meaning} |\n"
    yield _SYSTEMS
    for one in structs.fields(System):
        shown = "must be given" if one.required else f"`{json.dumps(one.default)}`"
        yield f"| `{one.name}` | {shown} | {_SYSTEM[one.name]} |\n"
    yield _OIDC
    fields = {field.name: field for field in structs.fields(provider.Provider)}
    for name, meaning in provider.PROVIDER.items():
        field = fields[name]
        shown = "must be given" if field.required else f"`{json.dumps(to_builtins(_made_default(field)))}`"
        yield f"| `{name}` | {'' if name in ('claims', 'values') else shown} | {meaning} |\n"
    yield "\n| claim | comes to |\n|---|---|\n"
    yield from (f"| `{name}` | {meaning} |\n" for name, meaning in provider.CLAIMS.items())


def _made_default(field: structs.FieldInfo) -> object:
    return field.default if field.default_factory is NODEFAULT else field.default_factory()


def _http_api() -> Iterator[str]:
    yield _MADE + _API
    table = operations(find_apps())
    for name in dict.fromkeys(one.path.split("/")[3] for one in table):
        yield f"\n## {name}\n\n| operation | does | for |\n|---|---|---|\n"
        for one in (one for one in table if one.path.split("/")[3] == name):
            yield f"| `{one.method} {one.path}` | {one.summary} | {_whom(one)} |\n"
        asked = {one.asks: one for one in table if one.path.split("/")[3] == name and msgspec.structs.fields(one.asks)}
        for asks in asked:
            fields = ", ".join(
                f"`{one.encode_name}`" + ("" if one.required else "?") for one in msgspec.structs.fields(asks)
            )
            yield f"\n`{asks.__name__}`: {fields}. {' '.join((getdoc(asks) or '').split())}\n"


def _whom(one: Operation) -> str:
    if one.open_:
        return "anybody"
    acts = one.act if isinstance(one.act, tuple) else (one.act,) if one.act else ()
    roles = sorted({role.value for act in acts for role in AUTHORITY if act in AUTHORITY[role]})
    return ", ".join(roles) or "whoever is signed in"


def _http_problems() -> Iterator[str]:
    yield _MADE + _PROBLEMS
    for code, told in PROBLEMS.items():
        yield f"| `{TYPE}{code}` | {told.status} | {told.title} | {told.when} |\n"


def _errors() -> Iterator[str]:
    tree = (getdoc(errors) or "").partition("\n\n")[2]
    yield f"{_MADE}# Errors\n\nErrors are sorted by who can act on them:\n\n```text\n{tree.strip()}\n```\n{_ERRORS}"
    for kind in _kinds(AldisError):
        told = failure(kind(""))
        if told is not None:
            yield f"| `{kind.code}` | `{kind.__name__}` | {told.exit} | {getdoc(kind)} | {told.fix} |\n"
    yield _OTHERS


def _kinds(kind: type[AldisError]) -> Iterator[type[AldisError]]:
    """It and what is below it, less what a module keeps to itself: that depends on who imported what."""
    if not kind.__name__.startswith("_"):
        yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _testing() -> Iterator[str]:
    """The page with its second part made anew; the first is written by hand."""
    yield (FOLDER / "testing.md").read_text("utf-8").partition(_FROM_HERE)[0] + _FROM_HERE
    yield "## Names\n\n| name | is |\n|---|---|\n"
    yield from (f"| `{name}` | {_cell(_said_of(testing, name))} |\n" for name in testing.__all__)
    for kind in (Coalition, Hostile):
        yield f"\n## {kind.__name__}\n\n| call | does |\n|---|---|\n"
        found = {name: one for base in kind.__mro__[::-1] for name, one in vars(base).items() if name[0] != "_"}
        for name in sorted(found):
            call = getattr(kind, name)
            if callable(call):
                yield f"| `{name}({_parameters(call)})` | {_cell(getdoc(call))} |\n"
    yield "\n## Attacks\n\nEach by the code of the [error](errors.md) that it meets.\n\n| meets | attack |\n|---|---|\n"
    for code in sorted({attack.expects for attack in ATTACKS}):
        names = "; ".join(attack.name for attack in ATTACKS if attack.expects == code)
        yield f"| {f'`{code}`' if code else 'any of them or none, without effect'} | {names} |\n"


def _parameters(call: Callable[..., object]) -> str:
    """The parameters of a method, without self and types."""
    found = signature(call)
    bare = [one.replace(annotation=one.empty) for one in found.parameters.values() if one.name != "self"]
    return str(found.replace(parameters=bare, return_annotation=found.empty))[1:-1]


def _said_of(module: ModuleType, name: str) -> str | None:
    """The docstring of a public name; that of a value is the text that follows it where it is made."""
    value = getattr(module, name)
    if isclass(value) or isfunction(value):
        return getdoc(value)
    body = ast.parse(getsource(module)).body
    for one in body:
        if isinstance(one, ast.ImportFrom) and one.module and name in {alias.name for alias in one.names}:
            return _said_of(import_module(one.module), name)
    for made, text in pairwise(body):
        if isinstance(made, ast.Assign | ast.AnnAssign) and isinstance(text, ast.Expr):
            targets = made.targets if isinstance(made, ast.Assign) else [made.target]
            if name in {ast.unparse(target) for target in targets} and isinstance(text.value, ast.Constant):
                return str(text.value.value)
    return None


def _cell(text: str | None) -> str:
    """A docstring without the errors that it lists, as a cell of a table."""
    return " ".join((text or "").partition("\n\nRaises:")[0].split()).replace("|", "\\|")


def main(say: Callable[[str], object] = sys.stdout.write) -> None:
    """Write every page that differs."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        path = FOLDER / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            say(f"{path}\n")
    OPENAPI.write_bytes(write(operations(find_apps())))


if __name__ == "__main__":
    main()
