"""The tables of a store and the steps from each schema version to the next (`PRAGMA user_version`)."""

from __future__ import annotations

__all__ = ["APPLICATION_ID", "MIGRATIONS"]

APPLICATION_ID = 0x414C4449  # "ALDI", in the file's header

_RECORDS = """
CREATE TABLE label (id INTEGER PRIMARY KEY, data BLOB NOT NULL UNIQUE) STRICT;

CREATE TABLE profile (
    id INTEGER PRIMARY KEY,
    label INTEGER NOT NULL REFERENCES label,
    kind TEXT NOT NULL,
    project TEXT NOT NULL,
    originator TEXT NOT NULL,
    UNIQUE (label, kind, project, originator)
) STRICT;

CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    originator TEXT NOT NULL,
    created INTEGER NOT NULL,
    profile INTEGER NOT NULL,
    portion_profiles BLOB NOT NULL,
    portions BLOB NOT NULL,
    substitute_profiles BLOB NOT NULL,
    substitutes BLOB NOT NULL,
    header BLOB NOT NULL,
    arrived INTEGER NOT NULL,
    source TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_version ON record (id, originator, version);

CREATE TABLE digest_seq (key INTEGER, seq INTEGER, PRIMARY KEY (key, seq)) STRICT, WITHOUT ROWID;

CREATE TABLE listing (seq INTEGER PRIMARY KEY, place INTEGER NOT NULL) STRICT;
CREATE INDEX listing_place ON listing (place);

CREATE VIRTUAL TABLE passage USING fts5 (
    words, mark, profile UNINDEXED,
    content = '', contentless_delete = 1, contentless_unindexed = 1, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
"""

_LEDGER = """
CREATE TABLE leaf (
    idx INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, data BLOB NOT NULL
) STRICT;
CREATE TABLE node (key INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
CREATE TABLE checkpoint (origin TEXT, size INTEGER, note BLOB NOT NULL, PRIMARY KEY (origin, size)) STRICT;
CREATE TABLE snapshot (digest BLOB PRIMARY KEY, data BLOB NOT NULL) STRICT;
"""

_EXCHANGE = """
CREATE TABLE partner (
    node TEXT PRIMARY KEY, party TEXT NOT NULL, status TEXT NOT NULL, data BLOB NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE inbox (
    partner TEXT PRIMARY KEY REFERENCES partner, epoch TEXT NOT NULL, seq INTEGER NOT NULL, digest BLOB NOT NULL
) STRICT;
CREATE TABLE acked (
    partner TEXT PRIMARY KEY REFERENCES partner, epoch TEXT NOT NULL, seq INTEGER NOT NULL, digest BLOB NOT NULL,
    receipt BLOB NOT NULL
) STRICT;
CREATE TABLE outbox (
    partner TEXT, seq INTEGER, record_seq INTEGER NOT NULL, portions BLOB NOT NULL, item BLOB,
    PRIMARY KEY (partner, seq)
) STRICT;
CREATE INDEX outbox_record ON outbox (partner, record_seq);
CREATE INDEX outbox_item ON outbox (partner, seq) WHERE item IS NOT NULL;
CREATE TABLE outbound (
    partner TEXT PRIMARY KEY REFERENCES partner, record_seq INTEGER NOT NULL, policy BLOB NOT NULL
) STRICT;
CREATE TABLE deferred (
    partner TEXT REFERENCES partner, record_seq INTEGER REFERENCES record, due INTEGER NOT NULL,
    PRIMARY KEY (partner, record_seq)
) STRICT;
CREATE INDEX deferred_due ON deferred (partner, due);
CREATE TABLE sealed (
    partner TEXT REFERENCES partner, epoch TEXT, first INTEGER, last INTEGER NOT NULL, digest BLOB NOT NULL,
    previous BLOB NOT NULL, data BLOB,
    PRIMARY KEY (partner, epoch, first)
) STRICT;
CREATE INDEX sealed_partner ON sealed (partner);
CREATE INDEX sealed_waiting ON sealed (partner) WHERE data IS NOT NULL;
CREATE TABLE withdrawn (
    partner TEXT REFERENCES partner, digest BLOB, data BLOB NOT NULL, PRIMARY KEY (partner, digest)
) STRICT;
CREATE TABLE record_grant (record_seq INTEGER PRIMARY KEY REFERENCES record, data BLOB NOT NULL) STRICT;
CREATE TABLE referral (
    id INTEGER PRIMARY KEY,
    partner TEXT NOT NULL REFERENCES partner,
    record_seq INTEGER NOT NULL REFERENCES record,
    portions BLOB NOT NULL,
    reasons BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'denied')),
    because TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (partner, record_seq, portions)
) STRICT;
CREATE TABLE hold (record_id TEXT PRIMARY KEY, because TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, source TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL,
    data BLOB NOT NULL, at INTEGER NOT NULL
) STRICT;
"""

_PEOPLE = """
CREATE TABLE person (id TEXT PRIMARY KEY, data BLOB NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE credential (
    person TEXT PRIMARY KEY REFERENCES person, password TEXT NOT NULL, code BLOB NOT NULL, code_until INTEGER NOT NULL
) STRICT;
CREATE TABLE attempt (name BLOB PRIMARY KEY, failures INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;
CREATE INDEX attempt_until ON attempt (until);
CREATE TABLE session (
    token BLOB PRIMARY KEY, person TEXT NOT NULL REFERENCES person, level BLOB NOT NULL, began INTEGER NOT NULL,
    used INTEGER NOT NULL, until INTEGER NOT NULL
) STRICT;
CREATE INDEX session_person ON session (person);
CREATE TABLE ruling (
    referral INTEGER NOT NULL REFERENCES referral ON DELETE CASCADE, officer TEXT NOT NULL, signed_in INTEGER NOT NULL,
    because TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (referral, officer, signed_in)
) STRICT;
INSERT INTO ruling SELECT id, '', 0, because, at FROM referral WHERE state = 'approved';
"""

_KEEPING = """
CREATE TABLE recall_asked (
    digest BLOB, partner TEXT, recall BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (digest, partner)
) STRICT;
CREATE TABLE recall_request (
    id INTEGER PRIMARY KEY, recall BLOB NOT NULL UNIQUE, asker TEXT NOT NULL, because TEXT NOT NULL,
    at INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('none', 'waits', 'done', 'refused')),
    answer TEXT NOT NULL, answered INTEGER NOT NULL
) STRICT;
CREATE TABLE recalled (
    digest BLOB, request INTEGER REFERENCES recall_request, PRIMARY KEY (digest, request)
) STRICT;
CREATE TABLE erased (digest BLOB PRIMARY KEY, because TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE former (
    partner TEXT, epoch TEXT, seq INTEGER, record_seq INTEGER NOT NULL, portions BLOB NOT NULL,
    acknowledged INTEGER NOT NULL, PRIMARY KEY (partner, epoch, seq)
) STRICT;
CREATE INDEX former_record ON former (partner, record_seq);
CREATE TABLE altered (
    partner TEXT, record_seq INTEGER, portion BLOB, substitute BLOB, words TEXT NOT NULL,
    PRIMARY KEY (partner, record_seq, portion, substitute)
) STRICT;
"""

_DESK = """
CREATE TABLE shape (
    id INTEGER PRIMARY KEY, profile INTEGER NOT NULL, parts BLOB NOT NULL, UNIQUE (profile, parts)
) STRICT;
CREATE TABLE question (
    id INTEGER PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    partner TEXT NOT NULL REFERENCES partner,
    record_seq INTEGER NOT NULL REFERENCES record,
    portions BLOB NOT NULL,
    reasons BLOB NOT NULL,
    grounds TEXT NOT NULL,
    shape INTEGER REFERENCES shape,
    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'denied', 'superseded', 'withdrawn')),
    because TEXT NOT NULL,
    asked INTEGER NOT NULL,
    at INTEGER NOT NULL,
    due INTEGER NOT NULL,
    successor INTEGER NOT NULL
) STRICT;
INSERT INTO question
SELECT id, 1000000 + (row_number() OVER (ORDER BY random()) - 1) * stride + abs(random() % stride), partner, record_seq,
       portions, reasons, '', NULL, state, because, at, at, 8053063620000, 0
FROM referral, (SELECT 9000000 / max(count(*), 1) AS stride FROM referral);
CREATE TABLE said (
    id INTEGER PRIMARY KEY, referral INTEGER NOT NULL REFERENCES question, officer TEXT NOT NULL,
    signed_in INTEGER NOT NULL, verdict TEXT NOT NULL CHECK (verdict IN ('approved', 'denied', 'deferred')),
    because TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, stands INTEGER NOT NULL
) STRICT;
INSERT INTO said SELECT NULL, referral, officer, signed_in, 'approved', because, at, 0, 1 FROM ruling;
INSERT INTO said SELECT NULL, id, '', 0, 'denied', because, at, 0, 1 FROM referral WHERE state = 'denied';
DROP TABLE ruling;
DROP TABLE referral;
ALTER TABLE question RENAME TO referral;
ALTER TABLE said RENAME TO ruling;
CREATE INDEX referral_record ON referral (record_seq, partner);
CREATE INDEX referral_open ON referral (due, id) WHERE state = 'open';
CREATE INDEX referral_shapeless ON referral (id) WHERE shape IS NULL;
CREATE INDEX referral_ruled ON referral (shape, id) WHERE state IN ('approved', 'denied');
CREATE INDEX referral_ruled_for ON referral (shape, partner, id) WHERE state IN ('approved', 'denied');
CREATE INDEX ruling_referral ON ruling (referral);
"""

_MEANING = """
CREATE TABLE meaning (
    id INTEGER PRIMARY KEY AUTOINCREMENT, place INTEGER NOT NULL UNIQUE, profile INTEGER NOT NULL, vector BLOB NOT NULL
) STRICT;
CREATE TABLE meaning_due (id INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL UNIQUE) STRICT;
CREATE TABLE saved (
    owner TEXT, name TEXT, search BLOB NOT NULL, at INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (owner, name)
) STRICT;
CREATE TABLE saved_read (
    owner TEXT, name TEXT, level TEXT, upto INTEGER NOT NULL, PRIMARY KEY (owner, name, level),
    FOREIGN KEY (owner, name) REFERENCES saved ON DELETE CASCADE
) STRICT;
"""

_ATTACHMENTS = """
CREATE TABLE content (digest BLOB PRIMARY KEY, size INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE attachment (
    record_seq INTEGER NOT NULL REFERENCES record, portion BLOB NOT NULL, digest BLOB NOT NULL, source TEXT NOT NULL,
    size INTEGER NOT NULL, media_type TEXT NOT NULL, PRIMARY KEY (record_seq, portion, digest, source)
) STRICT;
CREATE INDEX attachment_digest ON attachment (digest, source);
CREATE TABLE upload (
    id TEXT PRIMARY KEY, person TEXT NOT NULL, name TEXT NOT NULL, media_type TEXT NOT NULL, at INTEGER NOT NULL,
    digest BLOB
) STRICT;
CREATE TABLE incoming (
    source TEXT, digest BLOB, size INTEGER NOT NULL, held INTEGER NOT NULL, state TEXT NOT NULL
    CHECK (state IN ('wanted', 'whole', 'refused')), tries INTEGER NOT NULL, because TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (source, digest)
) STRICT;
CREATE TABLE outgoing (
    id INTEGER PRIMARY KEY, partner TEXT NOT NULL, record_seq INTEGER NOT NULL REFERENCES record,
    portion BLOB NOT NULL, digest BLOB NOT NULL, size INTEGER NOT NULL, sent INTEGER NOT NULL, state TEXT NOT NULL
    CHECK (state IN ('waits', 'done', 'refused')), because TEXT NOT NULL, at INTEGER NOT NULL,
    UNIQUE (partner, record_seq, portion, digest)
) STRICT;
CREATE INDEX outgoing_waiting ON outgoing (partner, id) WHERE state = 'waits';
"""

_PROVIDERS = """
ALTER TABLE session ADD COLUMN bounds BLOB NOT NULL DEFAULT x'';
CREATE TABLE identity (
    person TEXT PRIMARY KEY REFERENCES person, issuer TEXT NOT NULL, subject TEXT NOT NULL, UNIQUE (issuer, subject)
) STRICT;
CREATE TABLE used_answer (digest BLOB PRIMARY KEY, until INTEGER NOT NULL) STRICT;
CREATE INDEX used_answer_until ON used_answer (until);
"""

_KEPT = """
CREATE TABLE kept (keeper TEXT, name TEXT, data BLOB NOT NULL, PRIMARY KEY (keeper, name)) STRICT;
"""

_ANSWERS = """
CREATE TABLE answer (
    person TEXT REFERENCES person, key TEXT, request BLOB NOT NULL, status INTEGER NOT NULL, headers BLOB NOT NULL,
    body BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (person, key)
) STRICT;
CREATE INDEX answer_at ON answer (at);
"""

_CHANGES = """
CREATE TABLE changes (count INTEGER NOT NULL) STRICT;
INSERT INTO changes VALUES (0);
CREATE TRIGGER record_changed AFTER UPDATE ON record BEGIN UPDATE changes SET count = count + 1; END;
CREATE TRIGGER record_dropped AFTER DELETE ON record BEGIN UPDATE changes SET count = count + 1; END;
"""

_EXPECTED = """
CREATE TABLE expected (
    entry INTEGER NOT NULL REFERENCES quarantine ON DELETE CASCADE, source TEXT NOT NULL, digest BLOB NOT NULL,
    media_type TEXT NOT NULL, PRIMARY KEY (entry, digest, media_type)
) STRICT;
CREATE INDEX expected_digest ON expected (digest, source);
"""

MIGRATIONS: tuple[str, ...] = (
    _RECORDS + _LEDGER + _EXCHANGE,
    _PEOPLE,
    _KEEPING,
    _DESK,
    _MEANING,
    _ATTACHMENTS,
    _PROVIDERS,
    _KEPT,
    _ANSWERS,
    _CHANGES,
    _EXPECTED,
)
"""Step i takes a file from version i to i + 1; a released step is never edited, only followed by another."""
