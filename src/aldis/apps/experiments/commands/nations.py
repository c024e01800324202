"""Files of several nations' recordings, put in order: whose each is, and what is missing of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aldis.kernel.errors import InvalidInput, VerificationFailed
from aldis.kernel.signatures import Key

if TYPE_CHECKING:
    from aldis.apps.experiments.recorder import Findings

__all__ = ["Recording", "recordings_of"]


@dataclass(frozen=True)
class Recording:
    """One recording: its files in their order as `verify` found them, and what is missing in front of or between."""

    node: str
    run: str
    files: Mapping[Path, Findings]
    missing: Sequence[str]

    @property
    def whole(self) -> bool:
        """Whether every file was closed, and none is missing."""
        return not self.missing and all(one.state == "intact" for one in self.files.values())


def recordings_of(files: Sequence[Path], keys: Mapping[str, Key] | Key | None) -> Sequence[Recording]:
    """The recordings that files are of, by node and run.

    `keys` are those with which each node is to have sealed its own; one for all; None to believe what they say.

    Raises:
        VerificationFailed: a file was altered, or is sealed with another key.
        InvalidInput: a file ends before it says whose it is.
    """
    from aldis.apps.experiments.recorder import gaps, key_text, verify  # noqa: PLC0415

    groups: dict[tuple[str, str], list[tuple[int, Path, Findings]]] = {}
    for path in dict.fromkeys(files):
        found = verify(path, keys if isinstance(keys, Key) else None)
        opening = found.opening
        if found.state in ("altered", "foreign"):
            raise VerificationFailed(f"{path}: {found.wrong}", fix="Nothing is read from it: ask its node for a copy")
        if opening is None:
            raise InvalidInput(f"{path} ends before it says whose it is", fix="Leave it out")
        key = keys.get(opening.node) if isinstance(keys, Mapping) else None
        if key is not None and key_text(key) != found.signer:
            raise VerificationFailed(
                f"{path}: it is sealed with another key than that of {opening.node}",
                fix="Nothing is read from it: ask its node for a copy",
            )
        groups.setdefault((opening.node, opening.run), []).append((opening.segment, path, found))
    made = []
    for (node, run), some in sorted(groups.items()):
        some.sort(key=lambda one: (one[0], str(one[1])))
        found_of = {path: found for _, path, found in some}
        made.append(Recording(node, run, found_of, gaps(list(found_of.values()))))
    return made
