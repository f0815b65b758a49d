"""Zeek logs (x509, ssl, mqtt_connect, known_certs; files for digests): certificates, chains and sessions seen on the wire.

A place is one log, or a folder of them with their rotated files, in TSV or JSON, plain or gzip. What becomes of them stands
in ``_zeek_wire``.
"""

from __future__ import annotations

import re
from typing import ClassVar

from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.snapshot import SnapshotDraft
from tenure.sources._lines import logs_of, plain_head
from tenure.sources._zeek_wire import OURS, Wire

_FILE = re.compile(r"[a-z][a-z0-9_-]*(?:\.[\w.:+-]+)?\.log(?:\.gz)?")
_OURS_FILE = re.compile(r"(?:x509|ssl|mqtt_connect|known_certs)[\w.:+-]*\.log(?:\.gz)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d|current")
_TSV = re.compile(rb"(?:^|\n)#path[^\w\n](\w+)")
_JSON = re.compile(rb'\{.*"(?:cert_chain_fps|cert_chain_fuids|certificate\.serial|id\.orig_h|ssl_history|connect_status)"')


class Zeek:
    kind: ClassVar[str] = "zeek"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Zeek logs of TLS, certificates and MQTT"

    def recognise(self, place: Place) -> Recognition | None:
        if place.is_folder:
            inside = [p for p in place.path.iterdir() if not p.name.startswith(".")]
            logs = all(_DAY.fullmatch(p.name) if p.is_dir() else _FILE.fullmatch(p.name) for p in inside)
            names = (p.name for p in place.path.rglob("*.log*"))
            if logs and any(_OURS_FILE.fullmatch(n) for n in names):
                return Recognition(90, "a folder of Zeek logs")
            return None
        head = plain_head(place.head)
        if (match := _TSV.search(head[:4096])) and match[1].decode() in OURS:
            return Recognition(100, f"a Zeek log: {match[1].decode()}")
        if _OURS_FILE.fullmatch(place.path.name):
            if head[:1] == b"{" and _JSON.match(head):
                return Recognition(95, "a Zeek log in JSON")
            return Recognition(20, "the name of a Zeek log")
        return None

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        Wire(context, draft).collect([file for log in logs_of(place.path, place.relative, draft) for file in log])


SOURCE: Source = Zeek()
