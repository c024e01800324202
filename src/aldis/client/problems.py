"""Problems of the API as the kernel's errors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from aldis.kernel import errors
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, RefusedByPolicy, Stale, Unavailable, UnknownTerm

__all__ = ["error_of"]

_TYPE = "urn:aldis:problem:"
_OWN: Mapping[str, type[AldisError]] = MappingProxyType(
    {one.code: one for name in errors.__all__ if issubclass(one := getattr(errors, name), AldisError)}
    | {"not-signed-in": NotAuthentic, "not-found": UnknownTerm, "precondition-failed": Stale, "conflict": Unavailable}
)
_BY_STATUS: Mapping[int, type[AldisError]] = MappingProxyType(
    {401: NotAuthentic, 403: RefusedByPolicy, 404: UnknownTerm}
)
_SERVER = 500


class _Problem(msgspec.Struct, frozen=True):
    type: str = ""
    title: str = ""
    detail: str = ""
    fix: str = ""


def error_of(status: int, body: bytes) -> AldisError:
    """The error that an answer which is no success stands for."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except msgspec.MsgspecError:
        problem = _Problem()
    kind = _OWN.get(problem.type.removeprefix(_TYPE)) or _BY_STATUS.get(status)
    if kind is None:
        kind = Unavailable if status >= _SERVER or status in (408, 429) else InvalidInput
    return kind(problem.detail or problem.title or f"the node answered {status}", fix=problem.fix)
