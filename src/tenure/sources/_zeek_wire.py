"""What the Zeek logs of one sensor say together: rows of certificates, chains and sessions.

The relying party of a session is the declared one that has the server's address, else ``address:port`` as the sensor saw it.
A sensor sees client certificates up to TLS 1.2; sessions in which nobody is named are counted in a note and are no sessions
here. Rows without a time that can be read tell of no session either, but their certificates and chains stand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from tenure.evidence.collection import CollectContext
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.identifiers import serial_hex_text
from tenure.model.vocabulary import Outcome, RelyingPartyKind, SubjectKind
from tenure.sources import _openssl_names
from tenure.sources._addresses import address
from tenure.sources._lines import LogFile, tell_torn
from tenure.sources._log_problems import LineProblems
from tenure.sources._log_sessions import OPEN_AT_ONCE
from tenure.sources._zeek_certificates import ZeekCertificates
from tenure.sources._zeek_rows import Row, flag, instant, number, rows, text, texts, what

OURS: Final = ("x509", "ssl", "mqtt_connect", "known_certs")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(slots=True)
class _Span:
    """From when to when one kind of log speaks, and of which relying parties there were sessions."""

    first: datetime | None = None
    last: datetime | None = None
    origin: str = ""
    entries: Counter[str] = field(default_factory=Counter)  # rows by relying party
    parties: dict[str, None] = field(default_factory=dict)  # those with sessions, in order

    def at(self, moment: datetime, origin: str) -> None:
        self.first = moment if self.first is None or moment < self.first else self.first
        self.last = moment if self.last is None or moment > self.last else self.last
        self.origin = self.origin or origin


class Wire:
    """What the logs of one sensor say together."""

    def __init__(self, context: CollectContext, draft: SnapshotDraft) -> None:
        self._context, self._draft = context, draft
        self._problems = LineProblems(draft)
        self._certificates = ZeekCertificates(draft)
        self._digests: dict[str, bytes] = {}
        self._mqtt: dict[str, tuple[Row, str]] = {}  # by uid, until a row of ssl.log claims it
        self._spans = {"ssl": _Span(), "mqtt_connect": _Span()}
        self._chains: set[tuple[str, tuple[bytes, ...]]] = set()
        self._counts: Counter[str] = Counter()
        self._timeless: dict[str, list[int]] = {}
        self._parties = {
            _server_name(*_split(written)): declared.name
            for declared in context.declarations.relying_party
            for written in declared.addresses
        }

    def collect(self, files: list[LogFile]) -> None:
        """All logs: certificates before the chains that name them, client ids before the TLS sessions they belong to."""
        kinds = [(what(file), file) for file in files]
        self._note_others(kinds)
        takers: tuple[tuple[str, Callable[[Row, str, int], None]], ...] = (
            ("files", self._file_row),
            ("x509", self._certificate_row),
            ("mqtt_connect", self._mqtt_row),
            ("ssl", self._ssl_row),
            ("known_certs", self._known_row),
        )
        for kind, take in takers:
            for file in (f for k, f in kinds if k == kind):
                for line, row in rows(
                    file, self._context.progress, partial(tell_torn, file, self._draft), partial(self._odd, file)
                ):
                    self._counts[kind] += 1
                    take(row, file.relative, line)
        for uid in list(self._mqtt):
            self._mqtt_alone(uid)
        self._certificates.close()
        self._close()

    def _odd(self, file: LogFile, line: int, code: str, reason: str, written: str) -> None:
        self._problems.add(file.relative, line, code, reason, written)

    def _note_others(self, kinds: list[tuple[str, LogFile]]) -> None:
        others = sorted({kind or file.path.name for kind, file in kinds if kind not in OURS and kind != "files"})
        if others:
            self._draft.note(f"logs of other kinds were left out: {', '.join(others)}")

    def _file_row(self, row: Row, _file: str, _line: int) -> None:
        """files.log: the digest of a certificate, for x509 logs that tell none."""
        file_id, digest = text(row, "fuid"), text(row, "sha256")
        if file_id and digest and _SHA256.fullmatch(digest) and "x509" in (text(row, "mime_type") or ""):
            self._digests[file_id] = bytes.fromhex(digest)

    def _certificate_row(self, row: Row, file: str, line: int) -> None:
        def tell(at: int, code: str, reason: str, written: str) -> None:
            self._problems.add(file, at, code, reason, written)

        before = self._certificates.unidentified
        self._certificates.take(row, file, line, self._digests, tell)
        if instant(row, "ts") is None:
            self._timeless.setdefault(file, [line, 0])[1] += 1
        if before == 0 and self._certificates.unidentified:
            self._draft.problem(
                file, f"line {line}", "the log names certificates without SHA-256: they cannot be told from others of the"
                " same name; load the policy that logs fingerprints, or files.log with SHA-256", "no-digest",
            )  # fmt: skip

    def _known_row(self, row: Row, file: str, line: int) -> None:
        issuer = _openssl_names.read(text(row, "issuer_subject") or "")
        serial = serial_hex_text(text(row, "serial") or "")
        found = issuer is not None and serial is not None and (issuer.text, serial) in self._certificates.named
        self._counts["known found" if found else "known only"] += 1
        if instant(row, "ts") is None:
            self._timeless.setdefault(file, [line, 0])[1] += 1

    def _mqtt_row(self, row: Row, file: str, line: int) -> None:
        uid = text(row, "uid") or f"{file}#{line}"
        if uid in self._mqtt:
            self._mqtt_alone(uid)
        self._mqtt[uid] = (row, f"{file}#{line}")
        if len(self._mqtt) > OPEN_AT_ONCE:
            self._mqtt_alone(next(iter(self._mqtt)))

    def _mqtt_alone(self, uid: str) -> None:
        """An MQTT connection without TLS, or with TLS that the sensor's ssl.log does not show."""
        row, origin = self._mqtt.pop(uid)
        client, status = text(row, "client_id"), text(row, "connect_status")
        accepted = None if status is None else status == "Connection Accepted"
        self._session(
            row, origin, "mqtt_connect", "mqtt", accepted, None if accepted else status,
            SubjectKind.CLIENT_ID if client else SubjectKind.NONE, client=client,
        )  # fmt: skip

    def _ssl_row(self, row: Row, file: str, line: int) -> None:
        origin = f"{file}#{line}"
        client_chain, client_name = self._chain(row, "client", origin)
        self._chain(row, "server", origin)
        version = text(row, "version") or ""
        client = None
        if (uid := text(row, "uid")) and uid in self._mqtt:
            client = text(self._mqtt.pop(uid)[0], "client_id")
        kind = (
            SubjectKind.CERTIFICATE if client_chain
            else SubjectKind.NAME if client_name
            else SubjectKind.CLIENT_ID if client
            else SubjectKind.NONE
        )  # fmt: skip
        established, alert = flag(row, "established"), text(row, "last_alert")
        if kind is SubjectKind.NONE:
            self._counts["nameless TLS 1.3" if "v13" in version else "nameless"] += 1
        text_of_refusal = None if established or established is None else alert or "the handshake was not finished"
        self._session(
            row, origin, "ssl", "tls", established, text_of_refusal, kind,
            sha256=client_chain, name=client_name, client=client, resumed=flag(row, "resumed"),
        )  # fmt: skip

    def _chain(self, row: Row, side: str, origin: str) -> tuple[bytes | None, str | None]:
        """Write the chain one side showed; the digest of its leaf, else the name of its subject."""
        prefix = "client_cert_chain" if side == "client" else "cert_chain"
        links: list[bytes | str] = []
        for written in texts(row, f"{prefix}_fps"):
            if _SHA256.fullmatch(written):
                links.append(bytes.fromhex(written))
            else:
                self._counts["other digests"] += 1
                links.append("")
        if not links:
            links = [self._certificates.by_file_id.get(file_id, "") for file_id in texts(row, f"{prefix}_fuids")]
        subject = text(row, "client_subject" if side == "client" else "subject")
        if not links:
            return None, _common_name(subject)
        leaf = links[0]
        if not isinstance(leaf, bytes):
            return None, leaf or _common_name(subject)
        digests = tuple(link for link in links if isinstance(link, bytes))
        if (side, digests) not in self._chains:
            self._chains.add((side, digests))
            for position, link in enumerate(links):
                if isinstance(link, bytes):
                    self._draft.add("chain", leaf_sha256=leaf, position=position, sha256=link, side=side, origin=origin)
        return leaf, None

    def _session(
        self, row: Row, origin: str, log: str, protocol: str, established: bool | None, refusal: str | None, kind: SubjectKind,
        sha256: bytes | None = None, name: str | None = None, client: str | None = None, resumed: bool | None = None,
    ) -> None:  # fmt: skip
        started = instant(row, "ts")
        file, _, line = origin.partition("#")
        if started is None:
            self._timeless.setdefault(file, [int(line), 0])[1] += 1
            return
        span = self._spans[log]
        span.at(started, file)
        server, port = address(text(row, "id.resp_h") or ""), number(row, "id.resp_p")
        if server is None or port is None:
            self._counts["no server"] += 1
            return
        seen = _server_name(server, port)
        relying_party = self._parties.get(seen, seen)
        span.entries[relying_party] += 1
        if kind is SubjectKind.NONE:
            return
        span.parties[relying_party] = None
        outcome = Outcome.UNKNOWN if established is None else Outcome.ACCEPTED if established else Outcome.REFUSED
        self._draft.add(
            "session",
            relying_party=relying_party,
            started_at=started,
            address=address(text(row, "id.orig_h") or ""),
            port=number(row, "id.orig_p"),
            server_address=server,
            server_port=port,
            outcome=outcome.value,
            outcome_text=refusal,
            subject_kind=kind.value,
            sha256=sha256,
            user_name=name,
            client_id=client,
            protocol=protocol,
            resumed=resumed,
            origin=origin,
        )

    def _close(self) -> None:
        for file, (line, count) in self._timeless.items():
            reason = f"{count} rows have no time (ts) that can be read; their certificates count, their sessions do not"
            self._draft.problem(file, f"line {line}", reason, "bad-time")
        self._problems.close()
        kinds = {declared.name: declared.kind for declared in self._context.declarations.relying_party}
        for span in self._spans.values():
            if span.first is None or span.last is None:
                continue
            self._draft.speaks_until(span.last)
            for party in span.parties:
                kind = kinds.get(party, RelyingPartyKind.HOST)
                self._draft.add(
                    "log_span", relying_party=party, kind=kind.value, first_at=span.first, last_at=span.last,
                    entries=span.entries[party], sensor=True, origin=span.origin,
                )  # fmt: skip
        self._notes()

    def _notes(self) -> None:
        count = self._counts
        if hidden := count["nameless TLS 1.3"]:
            self._draft.note(
                f"{hidden} of {count['ssl']} TLS sessions are TLS 1.3, which hides client certificates from a sensor: who"
                " connected in them is not told"
            )
        if nameless := count["nameless"]:
            self._draft.note(f"{nameless} TLS sessions showed no client certificate and no client id; they are left out")
        if others := count["other digests"]:
            self._draft.note(f"{others} certificates in ssl.log are named by a digest that is not SHA-256; they cannot be linked")
        if only := count["known only"]:
            self._draft.note(f"{only} certificates in known_certs.log have no row in x509.log, so no digest; they are left out")
        if count["no server"]:
            self._draft.note(f"{count['no server']} sessions name no server address and port; they are left out")


def _common_name(subject: str | None) -> str | None:
    if subject is None:
        return None
    name = _openssl_names.read(subject)
    return (name.common_name or name.text or None) if name else subject


def _split(written: str) -> tuple[str, int]:
    host, _, port = written.rpartition(":")
    host = host.strip("[]")
    return address(host) or host, int(port) if port.isascii() and port.isdigit() else 0


def _server_name(server: str, port: int) -> str:
    return f"[{server}]:{port}" if ":" in server else f"{server}:{port}"
