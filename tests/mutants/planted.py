"""The mutants: one skipped or weakened security check each, and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MUTANTS", "Mutant"]


@dataclass(frozen=True)
class Mutant:
    """`old` stands exactly once in `src/aldis/<file>` and is replaced by `new`."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


_IN = "node/attachments/incoming.py"
_CONTENT = ("tests/node/test_attachments.py",)
_HOSTILE_CONTENT = ("tests/node/test_attachments_hostile.py",)
_ADMISSION = ("tests/kernel/test_admission.py", "tests/kernel/test_admission_items.py")
_BUNDLES = ("tests/kernel/test_bundles.py",)
_RECORDS = ("tests/kernel/test_records.py",)
_FRAMES = ("tests/kernel/test_frames.py",)
_SIGNATURES = ("tests/kernel/test_signatures.py",)
_MESSAGES = ("tests/kernel/test_messages.py", "tests/node/test_exchange.py")
_LEDGER = ("tests/kernel/test_ledger_merkle.py", "tests/kernel/test_ledger_checkpoint.py")
_RELEASE = (
    "tests/kernel/test_release_permits.py",
    "tests/kernel/test_release_vectors.py",
    "tests/kernel/test_release_corners.py",
    "tests/kernel/test_release_laws.py",
)
_FILES = ("tests/browser/test_page_files.py",)
_UPLOADS = ("tests/browser/test_uploads.py",)
_LIVE_PAGES = ("tests/browser/test_live_pages.py",)
_SYSTEMS = ("tests/node/test_systems.py",)
_ORDERS = ("tests/apps/experiments/test_orders_acting.py", "tests/apps/experiments/test_orders_rules.py")
_RECKONING = ("tests/apps/experiments/test_reckoning.py",)
_PLOT = ("tests/apps/experiments/test_plot.py",)
_SHOWING = ("tests/node/test_showing.py",)
_LINKS = ("tests/apps/experiments/test_links.py",)
_PROJECT = ("tests/apps/workspace/test_project.py",)
_REGISTER = ("tests/kernel/test_instruments_register.py",)
_POLICIES = ("tests/kernel/test_policies_roll_up.py", "tests/kernel/test_labels.py")
_EXPLAIN = ("tests/kernel/test_explain.py",)
_PAIRING = ("tests/node/test_pairing.py",)
_INSTRUMENTS = ("tests/node/test_instruments.py",)
_EXCHANGE = ("tests/node/test_exchange.py", "tests/node/test_files.py")
_RESHARE = ("tests/node/test_reshare.py",)
_SUPERSEDED = ("tests/node/test_superseded.py",)
_LIVE = ("tests/node/test_live.py",)
_LEVELS_LIVE = ("tests/node/test_levels_live.py",)
_TLS = ("tests/node/test_tls.py", "tests/node/test_partner_port.py")
_PAGES = ("tests/browser/test_pages.py",)
_STORE = ("tests/node/test_store_listing.py", "tests/node/test_store_search.py")
_BACKUP = ("tests/node/test_backup.py",)
_RECALLS = ("tests/node/test_recalls.py",)
_LEVELS = ("tests/kernel/test_release_levels.py", "tests/node/test_levels.py")
_KEYS = ("tests/node/test_keys.py",)
_PEOPLE = ("tests/node/test_people.py", "tests/node/test_person_sight.py")
_SIGHT = ("tests/node/test_person_sight.py",)
_MEANINGS = ("tests/node/test_store_meanings.py",)
_SAVED = ("tests/node/test_saved.py",)
_OIDC = ("tests/node/test_oidc_hostile.py",)
_WEB_OIDC = ("tests/api/test_web_oidc_rogue.py",)
_ASKED = ("tests/node/test_keeping_people.py",)
_DESK = ("tests/node/test_desk.py",)
_CASES = ("tests/node/test_cases.py",)
_API = ("tests/api/test_api_requests.py",)
_API_DESK = ("tests/api/test_api_desk.py",)
_API_FILES = ("tests/api/test_api_files.py",)
_API_GUARD = ("tests/api/test_api_guard.py",)
_API_LISTING = ("tests/api/test_api_listing.py",)
_API_STREAMS = ("tests/api/test_api_streams.py",)
_API_WALK = ("tests/api/test_api_walk.py",)
_TDF = ("tests/kernel/test_tdf.py",)
_KAS = ("tests/interfaces/test_key_access.py",)

_A = "kernel/admission.py"
_B = "kernel/bundles.py"
_R = "kernel/records.py"
_F = "kernel/frames.py"

MUTANTS = (
    Mutant(
        "backup-cut-short",
        "node/cipher.py",
        'return prefix + number.to_bytes(4, "big") + bytes([last])',
        'return prefix + number.to_bytes(4, "big") + bytes([0])',
        _BACKUP,
    ),
    Mutant(
        "restored-sends",
        "node/exchange.py",
        "if not known.active or restored(self._store) is not None:",
        "if not known.active:",
        _BACKUP,
    ),
    Mutant(
        "recall-by-anyone",
        "node/recalls.py",
        "return [row for row in rows if request.asker in (row.originator, row.source)]",
        "return rows",
        _RECALLS,
    ),
    Mutant(
        "recalled-passed-on",
        "node/outbound.py",
        "self._core.store.records.superseded(seqs) | self._core.store.recalls.withheld(decide.node, seqs)",
        "self._core.store.records.superseded(seqs)",
        _RECALLS,
    ),
    Mutant("erased-not-rewritten", "node/store/database.py", 'self._writer.execute("VACUUM")', "pass", _RECALLS),
    Mutant("admit-suspended-partner", _A, "if peer is None or not peer.active:", "if peer is None:", _ADMISSION),
    Mutant("admit-anothers-bundle", _A, "if sender is not None and sender != node:", "if False:", _ADMISSION),
    Mutant("admit-other-audience", _A, "if manifest.audience != self.node:  # 2", "if False:", _ADMISSION),
    Mutant("admit-unsigned", _B, "    key.verify(CONTEXT, manifest_data, signature)\n", "", _BUNDLES),
    Mutant("admit-other-algorithm", _B, "    if manifest.algorithm != key.algorithm.value:", "    if False:", _BUNDLES),
    Mutant("admit-out-of-order", _A, "        _check_place(bundle, peer)  # 5\n", "", _ADMISSION),
    Mutant("admit-old-epoch", _A, "    if manifest.epoch < cursor.epoch:\n", "    if False:\n", _ADMISSION),
    Mutant("admit-from-the-future", _A, "if manifest.created > at + CLOCK_TOLERANCE:  # 6", "if False:", _ADMISSION),
    Mutant("admit-unknown-kind", _A, "        self._check_kind(header.kind, parts)  # 8\n", "", _ADMISSION),
    Mutant("admit-forked-record", _A, "_check_history(one.record, held)  # 11", "pass", _ADMISSION),
    Mutant("admit-above-ceiling", _A, "            if outcome is Outcome.FAIL:", "            if False:", _ADMISSION),
    Mutant(
        "admit-not-releasable-here",
        _A,
        "            if not owned and not audience(label, frozenset((self.party,))) and self.party not in label.origins:",
        "            if False:",
        _ADMISSION,
    ),
    Mutant("admit-own-record-back", _A, "        if originator == self.node:\n", "        if False:\n", _ADMISSION),
    Mutant(
        "admit-stolen-grant",
        _A,
        "        if manifest.origin != originator or (manifest.audience != peer.node and not inside):",
        "        if False:",
        _ADMISSION,
    ),
    Mutant(
        "readmit-without-signature",
        _A,
        "        peer.key.verify(CONTEXT, kept.proof.manifest, kept.proof.signature)\n",
        "",
        _ADMISSION,
    ),
    Mutant(
        "seal-without-permit",
        _B,
        "    permit.check(digest, recipient, policy_epoch,",
        "    (lambda *_: None)(digest, recipient, policy_epoch,",
        _BUNDLES,
    ),
    Mutant("grant-unsigned", _B, "    key.verify(CONTEXT, grant.manifest, grant.signature)\n", "", _BUNDLES),
    Mutant(
        "grant-not-in-the-bundle",
        _B,
        "    verify_inclusion(leaf_hash(grant.commitment), grant.index, manifest.count, grant.path, root)\n",
        "",
        _BUNDLES,
    ),
    Mutant("grant-for-another-record", _B, "    if granted.record != carried.record:", "    if False:", _BUNDLES),
    Mutant(
        "grant-of-other-transforms",
        _B,
        "    if not set(carried.substitutes) <= set(granted.substitutes):",
        "    if False:",
        _BUNDLES,
    ),
    Mutant(
        "portion-not-committed",
        _R,
        "        if portion.digest.hex() not in header.portions:",
        "        if False:",
        _RECORDS,
    ),
    Mutant(
        "portion-twice",
        _R,
        "    if len(held) > 1 and len({portion.name for portion in held}) != len(held):",
        "    if False:",
        _RECORDS,
    ),
    Mutant("no-decoys", _R, "decoys = -count % _DECOY_STEP", "decoys = 0", _RECORDS),
    Mutant("portions-in-order", _R, "    commitments = sorted(", "    commitments = list(", _RECORDS),
    Mutant(
        "frame-again",
        _F,
        "(manifest.epoch, manifest.number) <= after",
        "(manifest.epoch, manifest.number) < after",
        _FRAMES,
    ),
    Mutant("frame-old", _F, "    if abs(manifest.created - at) > MAX_AGE:", "    if False:", _FRAMES),
    Mutant(
        "frame-other-audience",
        _F,
        "    if (manifest.origin, manifest.audience) != (origin, audience):",
        "    if False:",
        _FRAMES,
    ),
    Mutant("frame-other-body", _F, "    if sha256(envelope.body).hex() != manifest.body:", "    if False:", _FRAMES),
    Mutant(
        "signature-without-context",
        "kernel/signatures.py",
        'return context + b"\\x00" + message',
        "return message",
        _SIGNATURES,
    ),
    Mutant(
        "hybrid-half",
        "kernel/signatures.py",
        "        lattice.verify(signature[_ED25519:], message)\n",
        "",
        _SIGNATURES,
    ),
    Mutant(
        "message-unsigned",
        "kernel/messages.py",
        "    key.verify(message_type.CONTEXT, envelope.payload, envelope.signature)\n",
        "",
        _MESSAGES,
    ),
    Mutant(
        "live-header-ignored",
        "node/live.py",
        "        if not header.permits or not portion.permits:",
        "        if not portion.permits:",
        _LIVE,
    ),
    Mutant(
        "live-portion-ignored",
        "node/live.py",
        "        if not header.permits or not portion.permits:",
        "        if not header.permits:",
        _LIVE,
    ),
    Mutant(
        "live-label-ignored",
        "node/live.py",
        "if problem is None and self._fits(update, peers)]",
        "if self._fits(update, peers)]",
        _LIVE,
    ),
    Mutant(
        "live-in-anothers-name",
        "node/live.py",
        "        if frame.passed and peer.party != self._core.party:",
        "        if False:",
        _LEVELS_LIVE,
    ),
    Mutant(
        "live-of-distrusted",
        "node/live.py",
        "        if peer.distrust_after is not None:",
        "        if False:",
        _LEVELS_LIVE,
    ),
    Mutant(
        "live-of-paired",
        "node/live.py",
        "        if origin == self._core.node or origin in peers.peers:\n            return ()\n",
        "",
        _LEVELS_LIVE,
    ),
    Mutant(
        "upward-unproven",
        "node/outbound.py",
        "        kept = [place for place, part in enumerate(parts) if given.get(part.digest) == said[place]]",
        "        kept = [*range(len(parts))]",
        ("tests/node/test_levels_substitutes.py",),
    ),
    Mutant(
        "set-aside-file-told",
        "node/inbound.py",
        "            if below:  # it is told that all is well, and sends a file once",
        "            if False:",
        ("tests/node/test_attachments_quarantine.py",),
    ),
    Mutant(
        "same-id-of-another",
        "node/records.py",
        "        for row in self._store.records.versions(record_id, originator or None):",
        "        for row in self._store.records.versions(record_id):",
        ("tests/api/test_api_same_ids.py",),
    ),
    Mutant(
        "pairing-expired",
        "node/pairing.py",
        "    if not invitation.created - 600_000 <= at <= invitation.created + LIFETIME:",
        "    if False:",
        _PAIRING,
    ),
    Mutant(
        "pairing-other-party", "node/pairing.py", "    if instrument.parties != parties:", "    if False:", _PAIRING
    ),
    Mutant(
        "pairing-unsigned", "node/pairing.py", "    _check_cosignature(cosignature, agreement, sheet)\n", "", _PAIRING
    ),
    Mutant(
        "pairing-unconfirmed",
        "node/partners.py",
        "        if not confirm(sheet",
        "        if False and not confirm(sheet",
        _PAIRING,
    ),
    Mutant(
        "instrument-any-signature",
        "node/instruments.py",
        "        key.verify(COSIGN_CONTEXT, cosign_message(digest, party), unb64(signature))\n",
        "        pass\n",
        _INSTRUMENTS,
    ),
    Mutant(
        "notice-for-others",
        "node/instruments.py",
        "            if notice and notice.party == party:",
        "            if notice:",
        _INSTRUMENTS,
    ),
    Mutant(
        "instrument-half-signed",
        "kernel/instruments/register.py",
        "not e.missing and e.instrument.start <= at",
        "e.instrument.start <= at",
        _REGISTER,
    ),
    Mutant(
        "send-to-suspended",
        "node/exchange.py",
        "        if not known.active or restored(self._store) is not None:",
        "        if restored(self._store) is not None:",
        _EXCHANGE,
    ),
    Mutant(
        "reconcile-any-digest",
        "node/exchange.py",
        "            if sealed is None or sealed.digest != digest:",
        "            if sealed is None:",
        _EXCHANGE,
    ),
    Mutant(
        "what-left-in-a-file-counts-down",
        "node/exchange.py",
        "max(self._store.meta.number(key), sealed.last)",
        "sealed.last",
        ("tests/node/test_files.py",),
    ),
    Mutant(
        "policy-change-ignored",
        "node/exchange.py",
        "            if self._outbound.permitted(node, waiting):",
        "            if True:",
        _EXCHANGE,
    ),
    Mutant(
        "superseded-version-sealed",
        "node/outbound.py",
        "            if seq in superseded or ",
        "            if ",
        _SUPERSEDED,
    ),
    Mutant(
        "superseded-version-waits",
        "node/exchange.py",
        "                if left or self._outbound.newest(node, waiting):",
        "                if True:",
        _SUPERSEDED,
    ),
    Mutant(
        "deletion-told-to-all",
        "node/outbound.py",
        "        if not read_header(row.header).deleted or decide.restarted:",
        "        if True:",
        _SUPERSEDED,
    ),
    Mutant(
        "node-ceiling-downward-only",
        "kernel/release/ceilings.py",
        "                raise\n            return False\n",
        "                raise\n            raise\n",
        _RELEASE,
    ),
    Mutant(
        "rewritten-ledger-cosigned",
        "node/audit.py",
        "            if before is None or _continues(before, checkpoint, proof):",
        "            if True:",
        ("tests/node/test_audit.py",),
    ),
    Mutant(
        "regrant-anothers-grant",
        "node/inbound.py",
        "            if one.item.grant is None and one.index in proofs and (",
        "            if one.index in proofs and (",
        _RESHARE,
    ),
    Mutant("onward-clause-ignored", "kernel/release/scopes.py", "and self.taker in clause.onward\n", "\n", _RELEASE),
    Mutant(
        "node-ceiling-ignored",
        "kernel/release/candidates.py",
        "return node if node[0] > clause[0] else clause",
        "return clause",
        _RELEASE,
    ),
    Mutant("clause-ceiling-any", "kernel/release/ceilings.py", "if not all(found):", "if not any(found):", _RELEASE),
    Mutant(
        "hold-ignored",
        "kernel/release/terms.py",
        "_HELD if request.record in self._holds else chosen.review",
        "chosen.review",
        _RELEASE,
    ),
    Mutant(
        "releasability-ignored",
        "kernel/release/terms.py",
        "r3 = scope.listed if self._taker in label.releasable.parties else scope.releasable(label)",
        "r3 = scope.listed",
        _RELEASE,
    ),
    Mutant(
        "export-control-ignored",
        "kernel/release/terms.py",
        "r6 = scope.export(label.control) if label.control else _UNTAGGED",
        "r6 = _UNTAGGED",
        _RELEASE,
    ),
    Mutant(
        "categories-ignored",
        "kernel/release/terms.py",
        "        offer = chosen.offer\n        r2 = offer.grades.get((label.policy, label.classification)) or offer.grade(label)\n        r5 = offer.allow(label) if categories else offer.open",
        "        offer = chosen.offer\n        r2 = offer.grades.get((label.policy, label.classification)) or offer.grade(label)\n        r5 = offer.open",
        _RELEASE,
    ),
    Mutant(
        "onward-transfer-ignored",
        "kernel/release/terms.py",
        "        if label.origins <= scope.ends:",
        "        if True:",
        _RELEASE,
    ),
    Mutant(
        "ledger-old-history",
        "kernel/ledger/merkle.py",
        "def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:",
        "def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:\n    return\n",
        _LEDGER,
    ),
    Mutant(
        "port-any-pin",
        "node/partner_port.py",
        "            if hmac.compare_digest(known, presented):",
        "            if known:",
        _TLS,
    ),
    Mutant(
        "listing-hidden-records",
        "node/store/listing.py",
        "visible[:known] & profiles[:known]",
        "profiles[:known]",
        _STORE,
    ),
    Mutant(
        "refused-told-again",
        "node/repetitions.py",
        "    if mark in known:\n        return False\n",
        "",
        ("tests/node/test_conditions.py",),
    ),
    Mutant(
        "upgrade-without-copy",
        "node/store/database.py",
        "if keep and 0 < version < len(MIGRATIONS):",
        "if False:",
        ("tests/node/test_upgrade.py",),
    ),
    Mutant(
        "heartbeat-replayed",
        "node/heartbeats.py",
        "if before is not None and before.at >= found.at:",
        "if False:",
        ("tests/node/test_feeds.py",),
    ),
    Mutant(
        "oidc-claims-widen",
        "node/people/claimed.py",
        "clearance[policy] = min(rung, clearance[policy], key=policies.policy(policy).rank)",
        "clearance[policy] = rung",
        _OIDC,
    ),
    Mutant(
        "oidc-any-nonce",
        "node/people/id_token.py",
        "if not isinstance(sent, str) or not hmac",
        "if not isinstance(sent, str) and not hmac",
        _OIDC,
    ),
    Mutant("oidc-any-audience", "node/people/id_token.py", "if client not in audience or (", "if (", _OIDC),
    Mutant(
        "oidc-answer-again",
        "node/store/identities.py",
        "INSERT OR IGNORE INTO used_answer",
        "INSERT OR REPLACE INTO used_answer",
        _OIDC,
    ),
    Mutant(
        "oidc-any-provider", "node/people/oidc.py", "if said != self.provider.issuer and (", "if False and (", _OIDC
    ),
    Mutant(
        "oidc-any-subject", "node/people/people.py", "if bound is not None and bound != claimed.id:", "if False:", _OIDC
    ),
    Mutant(
        "recalls-listed",
        "node/people/sights.py",
        "shown = profile.kind not in _TOLD and covers(",
        "shown = covers(",
        _ASKED,
    ),
    Mutant(
        "recall-of-unseen-versions",
        "node/recalls.py",
        "seen = [row for row in rows if self._sights.cut(row, sight) is not None]",
        "seen = [*rows]",
        _ASKED,
    ),
    Mutant("recall-answered-low", "node/recalls.py", "self._sights.check_whole(", "(lambda *_: None)(", _ASKED),
    Mutant("inquiry-low", "node/inquiry.py", "self._sights.check_whole(", "(lambda *_: None)(", _ASKED),
    Mutant(
        "inquiry-of-the-unseen", "node/inquiry.py", "if not rows or not self._sees(by, rows):", "if not rows:", _ASKED
    ),
    Mutant(
        "due-of-the-unseen",
        "node/retention.py",
        "return (one for one in self._due() if self._records.sees(viewer, one.row))",
        "return self._due()",
        _ASKED,
    ),
    Mutant(
        "told-of-unseen-instruments",
        "interfaces/api/releases.py",
        " if call.node.register.shows(name, call.person)]",
        "]",
        ("tests/api/test_api_walk.py::test_what_one_may_not_know_of_changes_no_answer[foreign-staff]",),
    ),
    Mutant(
        "http-slow-reader",
        "interfaces/api/protocol.py",
        "self._full = self.loop.call_later(self.limits.answer_s, self.transport.abort)",
        "pass",
        ("tests/api/test_api_streams.py",),
    ),
    Mutant(
        "oidc-any-state",
        "node/people/oidc.py",
        'if not hmac.compare_digest(answer.get("state"',
        'if False and not hmac.compare_digest(answer.get("state"',
        _WEB_OIDC,
    ),
    Mutant("oidc-no-verifier", "node/people/oidc.py", '"code_verifier": given.verifier,', "", _WEB_OIDC),
    Mutant(
        "web-oidc-cookie-of-any-site",
        "interfaces/web/oidc.py",
        'PENDING_MS // 1000, path="/", secure=True, httponly=True, samesite="lax"',
        'PENDING_MS // 1000, path="/", secure=True, httponly=True, samesite="none"',
        _WEB_OIDC,
    ),
    Mutant(
        "web-oidc-cookie-stays",
        "interfaces/web/oidc.py",
        'response.delete_cookie(PENDING, path="/", secure=True, httponly=True, samesite="lax")',
        "pass",
        _WEB_OIDC,
    ),
    Mutant(
        "web-oidc-led-elsewhere",
        "interfaces/web/oidc.py",
        "return safe_path(unb64(text).decode())",
        "return unb64(text).decode()",
        _WEB_OIDC,
    ),
    Mutant(
        "web-oidc-at-any-level",
        "interfaces/web/oidc.py",
        "return people.sessions.change_level(token, {rules.name: rules.routine})",
        "return token",
        _WEB_OIDC,
    ),
    Mutant("people-never-locked", "node/people/people.py", "locked = now < before.until", "locked = False", _PEOPLE),
    Mutant(
        "session-outlives-suspension",
        "node/people/people.py",
        "active=False)\n            self._rows.end_all(person)\n",
        "active=False)\n",
        _PEOPLE,
    ),
    Mutant(
        "session-never-idle",
        "node/people/sessions.py",
        " and now - row.used < self._core.config.session_idle_min * 60_000",
        "",
        _PEOPLE,
    ),
    Mutant(
        "level-above-clearance",
        "node/people/levels.py",
        "(clearance[policy], ceiling, chosen.get(policy, clearance[policy]))",
        "(ceiling, chosen.get(policy, clearance[policy]))",
        _PEOPLE,
    ),
    Mutant(
        "foreign-portions-uncut",
        "node/people/sights.py",
        "seen = set(found.portions) - found.transforms.keys()",
        "seen = set(found.held)",
        _PEOPLE,
    ),
    Mutant("guest-other-kinds", "node/people/sights.py", " and covers(kinds, profile.kind)", "", _PEOPLE),
    Mutant(
        "search-hidden-headers",
        "node/records.py",
        "if not (row.profile < len(visible) and visible[row.profile]):",
        "if False:",
        _PEOPLE,
    ),
    Mutant(
        "search-hidden-portions",
        "node/records.py",
        "left = row.only(visible)",
        "left = row",
        ("tests/node/test_filters.py",),
    ),
    Mutant(
        "search-cut-portions",
        "node/store/search.py",
        "for data in left.portions if sha256(data).hex() == digest",
        "for data in row.portions if sha256(data).hex() == digest",
        _PEOPLE,
    ),
    Mutant(
        "vectors-not-erased",
        "node/store/passages.py",
        "            self.forget(connection, [first // PLACES for first, _ in spans])\n",
        "",
        _MEANINGS,
    ),
    Mutant("vectors-of-what-changed", "node/store/meanings.py", "if held is None:", "if False:", _MEANINGS),
    Mutant("saved-of-others", "node/saved.py", "return viewer.recipient.node", 'return ""', _SAVED),
    Mutant(
        "saved-read-at-any-level",
        "node/saved.py",
        'msgspec.json.encode(viewer.level, order="deterministic").decode()',
        '""',
        _SAVED,
    ),
    Mutant(
        "one-approval-is-enough",
        "kernel/release/terms.py",
        "request.approved >= chosen.basis.approvals",
        "request.approved >= 1",
        (*_RELEASE, *_DESK),
    ),
    Mutant(
        "author-approves",
        "node/desk.py",
        "if self._cases.wrote(case.row, officer.id):",
        "if False:",
        _DESK,
    ),
    Mutant("case-not-seen-whole", "node/store/shapes.py", "*(profile for _, profile in self.parts)", "", _CASES),
    Mutant("case-state-ignored", "node/desk.py", "if if_state and if_state != case.token:", "if False:", _CASES),
    Mutant(
        "successor-named",
        "node/cases.py",
        "return number if self.seen(self._store.referrals.get(number), look) is not None else 0",
        "return number",
        _CASES,
    ),
    Mutant("precedents-of-all", "node/cases.py", "if shape.profiles <= seen", "", ("tests/node/test_precedents.py",)),
    Mutant("any-person-at-the-desk", "node/cases.py", "        name_of(viewer, Act.RULE)\n", "", _CASES),
    Mutant(
        "denied-asked-again",
        "node/store/referrals.py",
        'if one.state in ("open", "approved", "denied"):',
        'if one.state in ("open", "approved"):',
        ("tests/node/test_store_referrals.py",),
    ),
    Mutant(
        "downward-by-itself",
        "kernel/release/candidates.py",
        "        elif offer.below:",
        "        elif False:",
        _LEVELS,
    ),
    Mutant("checkpoint-downward", "node/exchange.py", 'b"" if self._partners.below(known.node) else ', "", _LEVELS),
    Mutant("vouched-key-ignored", _A, "in self.peers else vouched.get(originator)", "in self.peers else peer", _LEVELS),
    Mutant("key-file-readable", "node/keys.py", "        if path.stat().st_mode & 0o077:", "        if False:", _KEYS),
    Mutant(
        "admit-any-number-of-profiles",
        "node/inbound.py",
        "if new and profiles.taken(header.originator) + len(both) > PARTNER_PROFILES:",
        "if False:",
        ("tests/node/test_crowding.py",),
    ),
    Mutant(
        "put-what-its-party-may-not-have",
        "node/records.py",
        "if not ours and not audience(label, frozenset((core.party,))):",
        "if False:",
        ("tests/interfaces/test_cli_bad_input.py",),
    ),
    Mutant("form-from-elsewhere", "interfaces/web/guard.py", 'return site == "same-origin"', "return True", _PAGES),
    Mutant(
        "form-without-token",
        "interfaces/web/door.py",
        "if visit.person and not fits(",
        "if False and not fits(",
        _PAGES,
    ),
    Mutant("upload-without-token", "interfaces/web/uploads.py", "if not fits(", "if False and not fits(", _UPLOADS),
    Mutant("upload-from-elsewhere", "interfaces/web/uploads.py", "if not ours(", "if False and not ours(", _UPLOADS),
    Mutant(
        "upload-refused-kept",
        "interfaces/web/uploads.py",
        "        except AldisError:\n            await run_in_threadpool(self._uploads.drop, id_, person)\n",
        "        except AldisError:\n",
        _UPLOADS,
    ),
    Mutant(
        "import-of-anothers-file",
        "node/attachments/uploads.py",
        "if not self.mine(known, person):",
        "if False:",
        _FILES,
    ),
    Mutant("live-page-unfiltered", "node/context.py", "if header is not None:", "if True:", _LIVE_PAGES),
    Mutant(
        "live-page-outlives-session",
        "interfaces/web/stream.py",
        "                return\n            data =",
        "            data =",
        _LIVE_PAGES,
    ),
    Mutant("live-page-keeps-session", "interfaces/web/stream.py", ", used=False)", ", used=True)", _LIVE_PAGES),
    Mutant(
        "newcomer-beyond-asker",
        "node/context.py",
        "for row in self._records.standing(project, kinds, self._viewer):",
        'for row in self._records.standing(project, kinds, ""):',
        ("tests/apps/workspace/test_site.py",),
    ),
    Mutant("page-unescaped", "interfaces/web/frame.py", "autoescape=True", "autoescape=False", _PAGES),
    Mutant("led-elsewhere", "interfaces/web/guard.py", ' and not path.startswith("//")', "", _PAGES),
    Mutant("sign-in-keeps-session", "interfaces/web/pages/session.py", "    if visit.token:", "    if False:", _PAGES),
    Mutant(
        "typed-text-unmarked",
        "interfaces/web/frame.py",
        "[visit.level] if visit.person and visit.error and visit.form else []",
        "[]",
        ("tests/browser/test_app_pages.py",),
    ),
    Mutant("own-record-uncut", "node/records.py", "            return seen.record()\n", "", _PAGES),
    Mutant(
        "ledger-below-ceiling",
        "interfaces/web/pages/ledger.py",
        "return visit.node.sights.whole(visit.who)",
        "return True",
        _PAGES,
    ),
    Mutant(
        "content-any-digest",
        "node/store/attachments.py",
        "WHERE source = ?1 AND digest = ?2 AND (EXISTS (\n    SELECT 1 FROM expected WHERE expected.digest = ?2 AND expected.source = ?1\n) OR EXISTS (\n    SELECT 1 FROM attachment JOIN record ON record.seq = record_seq\n    WHERE attachment.digest = ?2 AND attachment.source = ?1",
        "WHERE digest = ?2 AND (EXISTS (\n    SELECT 1 FROM attachment JOIN record ON record.seq = record_seq\n    WHERE attachment.digest = ?2",
        _HOSTILE_CONTENT,
    ),
    Mutant("content-too-long", _IN, "if partial.held + len(data) > row.size:  # 4", "if False:", _HOSTILE_CONTENT),
    Mutant("content-unhashed", _IN, "if found != row.digest:  # 6", "if False:", _HOSTILE_CONTENT),
    Mutant(
        "content-untyped", _IN, "                check_type(head, media_type)", "                pass", _HOSTILE_CONTENT
    ),
    Mutant(
        "content-without-room",
        _IN,
        "if self._comes(others, digest) or not self._room(row, name):",
        "if self._comes(others, digest):",
        _HOSTILE_CONTENT,
    ),
    Mutant(
        "content-from-anyone",
        "node/store/attachments.py",
        "attachment.size = content.size AND (source = '' OR EXISTS (",
        "attachment.size = content.size AND (1 OR EXISTS (",
        _CONTENT,
    ),
    Mutant(
        "content-named-by-anyone",
        "node/attachments/__init__.py",
        "                if not self.may_name(one, person, rows):",
        "                if False:",
        ("tests/node/test_attachments_keeping.py",),
    ),
    Mutant(
        "content-undecided",
        "node/outbound.py",
        "return isinstance(result, Permit) and portion in set(result.portions) - result.transforms.keys()",
        "return True",
        _CONTENT,
    ),
    Mutant(
        "content-read-before-whole",
        "node/attachments/__init__.py",
        "        if not held.whole:\n            raise",
        "        if False:\n            raise",
        _CONTENT,
    ),
    Mutant(
        "board-shows-orphans",
        "apps/workspace/board.py",
        'return item.kind not in _RESPONSES or (item.part("thread", About) is not None and about_of(item) is None)',
        "return item.kind not in _RESPONSES or about_of(item) is None",
        ("tests/apps/workspace/test_board.py",),
    ),
    Mutant(
        "kept-across-levels",
        "node/context.py",
        "return f\"{who.id} {msgspec.json.encode(who.level, order='sorted').decode()}\"",
        "return who.id",
        _PROJECT,
    ),
    Mutant(
        "word-wider-than-its-item",
        "apps/workspace/drafts.py",
        "            if label != floor:",
        "            if False:",
        _PROJECT,
    ),
    Mutant(
        "foreign-audience-not-cut",
        "apps/workspace/drafts.py",
        "label.narrowed(releasable=_common(label.releasable, floor.releasable, owners))",
        "label.narrowed()",
        _PROJECT,
    ),
    Mutant(
        "cell-runs",
        "apps/workspace/tables.py",
        'return "\'" + cell if cell.startswith(_FORMULA) else cell',
        "return cell",
        ("tests/apps/workspace/test_project_files.py",),
    ),
    Mutant(
        "any-id-is-issued",
        "node/authorship.py",
        "        elif draft.id not in issued:  # 6",
        "        elif False:",
        ("tests/apps/workspace/test_project_files.py", "tests/node/test_authorship.py"),
    ),
    Mutant(
        "http-reads-as-operator",
        "interfaces/api/reading.py",
        "row = call.node.records.get(asked.id, asked.version, call.person, asked.originator)\n    row.record()",
        'row = call.node.records.get(asked.id, asked.version, "", asked.originator)\n    row.record()',
        _API_WALK,
    ),
    Mutant(
        "http-ledger-below-ceiling",
        "node/people/sights.py",
        "return own and ladder.rank(person.level[config.policy]) >= ladder.rank(config.ceiling)",
        "return own",
        _API,
    ),
    Mutant("http-rules-unseen", "interfaces/api/desk.py", "    if not given:", "    if False:", _API_DESK),
    Mutant(
        "hold-tells",
        "node/desk.py",
        "        if not any(seen) or not enough(seen):",
        "        if not seen:",
        _API_DESK,
    ),
    Mutant(
        "upload-of-another",
        "node/attachments/uploads.py",
        "for one in self._store.uploads(person):\n            if one.id == id_:",
        "for one in self._store.uploads(None):\n            if one.id == id_:",
        _API_FILES,
    ),
    Mutant(
        "upload-grows-while-finished",
        "node/attachments/uploads.py",
        "if offset != held or upload.digest is not None or id_ in self._finishing:",
        "if offset != held or upload.digest is not None:",
        _API_FILES,
    ),
    Mutant(
        "http-download-outlives-session",
        "interfaces/api/attachments.py",
        "                await self._gateway.run(self._look)",
        "                pass",
        _API_FILES,
    ),
    Mutant(
        "http-attachment-shown",
        "interfaces/api/attachments.py",
        'return f"attachment; filename=',
        'return f"inline; filename=',
        _API_FILES,
    ),
    Mutant(
        "http-header-looser",
        "interfaces/api/guard.py",
        "one if (one := said.get(name)) in may else may[0]",
        "said.get(name, may[0])",
        _API_GUARD,
    ),
    Mutant(
        "sight-of-another-recipient",
        "node/people/sights.py",
        'replace(person.recipient, node="")',
        'replace(person.recipient, node="", categories=())',
        _SIGHT,
    ),
    Mutant(
        "sight-of-other-projects",
        "node/people/sights.py",
        'replace(person.recipient, node="")',
        'replace(person.recipient, node="", projects=frozenset())',
        _SIGHT,
    ),
    Mutant(
        "sight-of-other-kinds",
        "node/people/sights.py",
        "frozenset(person.account.kinds)\n        like",
        "frozenset()\n        like",
        _SIGHT,
    ),
    Mutant(
        "sight-before-the-change",
        "node/people/sights.py",
        "kinds, known.change, known.generation",
        "kinds, 0, known.generation",
        _SIGHT,
    ),
    Mutant(
        "http-rows-kept-for-anyone",
        "interfaces/api/shown.py",
        "view = views.of(seen.tobytes())",
        'view = views.of(b"")',
        _API_LISTING,
    ),
    Mutant(
        "http-rows-kept-by-count",
        "interfaces/api/shown.py",
        'self._rows.setdefault(seen.rstrip(b"\\0"), {})',
        'self._rows.setdefault(seen.replace(b"\\0", b""), {})',
        _API_LISTING,
    ),
    Mutant(
        "http-rows-kept-too-long",
        "interfaces/api/shown.py",
        "if views.changes != changes:",
        "if views.changes < 0:",
        _API_LISTING,
    ),
    Mutant(
        "http-live-unfiltered",
        "interfaces/api/streams.py",
        "            if known[key]:",
        "            if True:",
        _API_STREAMS,
    ),
    Mutant(
        "http-live-header-unlooked",
        "node/records.py",
        "labels = (header, live.label)",
        "labels = (live.label,)",
        _API_STREAMS,
    ),
    Mutant(
        "http-changes-unfiltered",
        "interfaces/api/streams.py",
        "if wanted and call.node.sights.cut(row, sight) is not None:",
        "if wanted:",
        _API_STREAMS,
    ),
    Mutant(
        "http-stream-outlives-session",
        "interfaces/api/streams.py",
        "lambda: sessions.who(token, used=False)",
        "lambda: self._person.now",
        _API_STREAMS,
    ),
    Mutant(
        "http-key-at-any-level",
        "interfaces/api/kept.py",
        "for part in (*parts, msgspec.json.encode(person))",
        "for part in parts",
        _API,
    ),
    Mutant(
        "http-body-before-session",
        "interfaces/api/gateway.py",
        'scope["method"] == "HEAD", ""\n',
        'scope["method"] == "HEAD", ""\n        await receive()\n',
        _API,
    ),
    Mutant(
        "http-clear-off-loopback",
        "node/config.py",
        "if not config.http_certificate and not loopback(host):",
        "if False:",
        _API,
    ),
    Mutant(
        "tdf-root",
        "kernel/tdf/opening.py",
        "if not hmac.compare_digest(form.written(root), said):",
        "if False:",
        _TDF,
    ),
    Mutant(
        "tdf-segment",
        "kernel/tdf/opening.py",
        "if not hmac.compare_digest(form.written(found), expected):",
        "if False:",
        _TDF,
    ),
    Mutant(
        "tdf-assertion",
        "kernel/tdf/assertions.py",
        ' or claims.get("assertionSig") not in bound:',
        ":",
        _TDF,
    ),
    Mutant(
        "tdf-policy-binding",
        "kernel/tdf/opening.py",
        'if not hmac.compare_digest(hmac.digest(share, policy.encode(), "sha256").hex().encode(), said):',
        "if False:",
        _TDF,
    ),
    Mutant(
        "tdf-split-left-out",
        "kernel/tdf/opening.py",
        "        if share is None:\n            servers =",
        "        if share is None:\n            continue\n            servers =",
        _TDF,
    ),
    Mutant(
        "spif-claim-in-force",
        "kernel/policies/catalogue.py",
        "level = self._level(Direction.PROTECT_AS, source, label.classification, target, at, agreed)",
        "level = target.ladder[-1].name if source.claims else self._level(Direction.PROTECT_AS, source, label.classification, target, at, agreed)",
        ("tests/kernel/test_spif.py",),
    ),
    Mutant(
        "xml-label-unknown-category",
        "kernel/markings/adatp4774.py",
        "        tag, values = _read_category(row, policy)",
        '        if row.attribute("TagName") not in (*policy.categories, *RESERVED):\n            continue\n        tag, values = _read_category(row, policy)',
        ("tests/kernel/test_adatp4774.py",),
    ),
    Mutant(
        "label-any-signature",
        "interfaces/cli/label.py",
        "known[signer][1].verify(_CONTEXT, carrier, signature)",
        "pass",
        ("tests/interfaces/test_cli_labels.py",),
    ),
    Mutant("kas-binding", "node/key_access.py", "check_binding(access, share, policy)  # 2", "pass", _KAS),
    Mutant(
        "kas-other-node",
        "node/key_access.py",
        "if core.node not in policy.nodes and not own:",
        "if False:",
        _KAS,
    ),
    Mutant(
        "kas-deleted-record",
        "node/key_access.py",
        "if newest is None or read_header(newest.header).deleted:",
        "if False:",
        _KAS,
    ),
    Mutant(
        "kas-undecided",
        "node/key_access.py",
        "if not self._sights.may_open(",
        "if False and not self._sights.may_open(",
        _KAS,
    ),
    Mutant("kas-key-of-another", "interfaces/api/proofs.py", "if first != holder.thumbprint:", "if False:", _KAS),
    Mutant(
        "kas-proof-of-another-request",
        "interfaces/api/proofs.py",
        "if said.htm != method or said.htu != url:",
        "if False:",
        _KAS,
    ),
    Mutant(
        "kas-proof-of-another-token",
        "interfaces/api/proofs.py",
        "if not hmac.compare_digest(said.ath.encode(), b64(sha256(token.encode())).encode()):",
        "if False:",
        _KAS,
    ),
    Mutant(
        "kas-proof-again",
        "interfaces/api/proofs.py",
        "if not seen.first(holder.thumbprint + said.jti.encode(), said.iat + 2 * _WINDOW_S, now):",
        "if False:",
        _KAS,
    ),
    Mutant(
        "kas-request-of-another",
        "interfaces/api/proofs.py",
        "    _verify(holder, signed, signature)\n    said = _read(body, _Request)",
        "    said = _read(body, _Request)",
        _KAS,
    ),
    Mutant(
        "kas-request-expired",
        "interfaces/api/proofs.py",
        "if not (said.iat - _WINDOW_S <= now < said.exp <= said.iat + _REQUEST_S):",
        "if False:",
        _KAS,
    ),
    Mutant(
        "kas-request-again",
        "interfaces/api/proofs.py",
        "if not seen.first(signature, said.exp, now):",
        "if False:",
        _KAS,
    ),
    Mutant(
        "form-files-without-token",
        "interfaces/web/parts.py",
        "if (self._count == 1) != (name == CSRF and file is None):  # 1",
        "if False:",
        _FILES,
    ),
    Mutant(
        "form-files-with-any-token",
        "interfaces/web/parts.py",
        "                self._allow()\n",
        "                pass\n",
        _FILES,
    ),
    Mutant(
        "download-of-what-is-not-seen",
        "interfaces/web/pages/files.py",
        'asked["name"], visit.who, version, whose)',
        'asked["name"], "", version, whose)',
        _FILES,
    ),
    Mutant(
        "system-shown-whatever-comes",
        "apps/experiments/systems.py",
        "[live for live in fresh if self._context.may_show(live, self._system.person)]",
        "fresh",
        _SYSTEMS,
    ),
    Mutant(
        "system-hears-itself",
        "apps/experiments/systems.py",
        "if live.source or live.update.id not in self._own:",
        "if True:",
        _SYSTEMS,
    ),
    Mutant(
        "system-shown-by-an-old-decision",
        "node/showing.py",
        "            self._known.clear()\n",
        "            pass\n",
        _SHOWING,
    ),
    Mutant(
        "system-of-a-suspended-account",
        "node/people/people.py",
        "        account = self._active(person)\n        return self.sessions.person(account, account.clearance)",
        '        account = _account.decode(self._rows.get(person) or b"null") if self._rows.get(person) else None\n        return self.sessions.person(account, account.clearance)',
        _SHOWING,
    ),
    Mutant(
        "tls-of-anybody",
        "apps/experiments/links/tcp.py",
        "context.verify_mode = ssl.CERT_REQUIRED",
        "context.verify_mode = ssl.CERT_OPTIONAL",
        _LINKS,
    ),
    Mutant(
        "foreign-words-ignored",
        "apps/experiments/plot.py",
        "        if len(more) < len(said):\n",
        "        if False:\n",
        _PLOT,
    ),
    Mutant(
        "residue-as-it-is-marked",
        "apps/experiments/plot.py",
        ', "residue": highest}',
        "}",
        _PLOT,
    ),
    Mutant(
        "join-of-two-systems-forgotten",
        "apps/experiments/plot.py",
        "if system not in kept.systems or words != kept.words:",
        "if words != kept.words:",
        _PLOT,
    ),
    Mutant(
        "system-told-that-there-was-something",
        "apps/experiments/systems.py",
        "if self._context.may_show(live, self._system.person):\n                    self._cadence",
        "if live is not None:\n                    self._cadence",
        _SYSTEMS,
    ),
    Mutant(
        "prediction-passed-off-as-a-report",
        "apps/experiments/entity/reckoning.py",
        "made, received_ms=at_ms, how=HOW, fix=FIX,",
        "made, received_ms=at_ms,",
        _RECKONING,
    ),
    Mutant(
        "reckoned-finer-than-it-was-released",
        "apps/experiments/entity/reckoning.py",
        "    if place.grid_m is None:\n        return",
        "    if place is not None:\n        return",
        _RECKONING,
    ),
    Mutant(
        "system-given-orders-with-the-picture",
        "apps/experiments/systems.py",
        "if self._offered is None or isinstance(entity, self._offered.orders):",
        "if self._offered is None:",
        _SYSTEMS,
    ),
    Mutant(
        "lease-of-another",
        "apps/experiments/orders/rules.py",
        "if lease is None or lease.terms.holder != asked.ref[0] or beyond(lease, task):",
        "if lease is None or beyond(lease, task):",
        _ORDERS,
    ),
    Mutant(
        "lease-beyond-its-terms",
        "apps/experiments/orders/rules.py",
        " or beyond(lease, task):\n        return ()  # 10",
        ":\n        return ()  # 10",
        _ORDERS,
    ),
    Mutant(
        "lease-after-its-end",
        "apps/experiments/orders/terms.py",
        "self.terms.from_ms <= now < self.terms.until_ms",
        "self.terms.from_ms <= now",
        _ORDERS,
    ),
    Mutant(
        "task-outlives-its-lease",
        "apps/experiments/orders/rules.py",
        '    if lease is None and answer.by == "lease":\n',
        "    if False:\n",
        _ORDERS,
    ),
    Mutant(
        "override-not-told",
        "apps/experiments/orders/rules.py",
        "return (Hold(track), Say(asked.ref,",
        "return (Say(asked.ref,",
        _ORDERS,
    ),
    Mutant(
        "task-changed-after-acceptance",
        "apps/experiments/orders/rules.py",
        "    if asked.digest != answer.tasking.digest:\n",
        "    if False:\n",
        _ORDERS,
    ),
    Mutant(
        "anybodys-answer-believed",
        "apps/experiments/orders/papers.py",
        "if task.request == request_of(record.header.originator, ref[1]):",
        "if task.request is not None:",
        _ORDERS,
    ),
    Mutant(
        "anybody-commands",
        "apps/experiments/orders/acting.py",
        'if person.guest or person.nationality != ctx.party or not {"put", "revise"} <= person.acts:',
        "if person.guest:",
        _ORDERS,
    ),
    Mutant(
        "system-tasked-unasked",
        "apps/experiments/orders/driver.py",
        " for system in systems if system.tasking}",
        " for system in systems}",
        _ORDERS,
    ),
)
