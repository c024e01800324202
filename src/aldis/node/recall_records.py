"""Recalls as records: the request to delete what was sent, and the answer to it, in the node's own kinds.

A recall names versions by their digests alone, which tell nothing to who lacks the record; so it and its answer travel
under the pairing agreement, whatever they are about.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from aldis.kernel.encoding import digest_from_hex
from aldis.kernel.errors import AldisError
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion, Kind, Record

__all__ = ["ANSWER", "RECALL", "RECALL_KINDS", "Answer", "Recall", "answer_draft", "read_value", "recall_draft"]

RECALL = "recall"
ANSWER = "recall-answer"
MOST = 4096
"""Versions in one recall."""

_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}\\Z")]
_Text = Annotated[str, msgspec.Meta(max_length=500)]
_Node = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}\\Z")]


class Recall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The versions asked back, and why."""

    digests: Annotated[list[_Digest], msgspec.Meta(min_length=1, max_length=MOST)]
    because: _Text

    def wanted(self) -> list[bytes]:
        """The digests, as bytes."""
        return [digest_from_hex(digest) for digest in self.digests]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a node did about the recall with this digest, why, and which nodes it had passed it on to and asks in turn.

    `none`: nothing of it is held; `waits`: an operator has yet to say; `done`: the content is erased; `refused`.
    """

    recall: _Digest
    effect: Literal["none", "waits", "done", "refused"]
    because: _Text
    passed_on: Annotated[list[_Node], msgspec.Meta(max_length=256)]


RECALL_KINDS = (Kind(RECALL, {"recall": Recall}), Kind(ANSWER, {"answer": Answer}))


def recall_draft(
    digests: Iterable[bytes], because: str, *, label: Label, node: str, partner: str, author: str, at: int
) -> Draft:
    """The draft of a recall for one partner; the last of the digests names it."""
    named = [digest.hex() for digest in digests]
    value = Recall(named, because[:500])
    return Draft(
        kind=RECALL,
        id=f"recall-{named[-1][:24]}-{partner}",
        originator=node,
        author=author,
        created=at,
        label=label,
        portions=[DraftPortion("recall", label, msgspec.to_builtins(value))],
    )


def answer_draft(answer: Answer, *, label: Label, node: str, author: str, at: int) -> Draft:
    """The draft of an answer, under the label of the recall."""
    return Draft(
        kind=ANSWER,
        id=f"answer-{answer.recall[:24]}-{node}",
        originator=node,
        author=author,
        created=at,
        label=label,
        portions=[DraftPortion("answer", label, msgspec.to_builtins(answer))],
        sources=[digest_from_hex(answer.recall)],
    )


def read_value(record: Record) -> Recall | Answer | None:
    """What a recall or an answer says; None where its content is not held, or says nothing that can be read."""
    try:
        if record.header.kind == RECALL and (portion := record.portion("recall")):
            return msgspec.json.decode(portion.raw_value, type=Recall)
        if record.header.kind == ANSWER and (portion := record.portion("answer")):
            return msgspec.json.decode(portion.raw_value, type=Answer)
    except (msgspec.MsgspecError, AldisError):
        return None
    return None
