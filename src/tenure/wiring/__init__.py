"""The one place that names the members of each family. A new source or report is a new file and a line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:  # importing wiring must cost nothing: --help is drawn from these names alone
    from tenure.evidence.collection import Source
    from tenure.reports import Report

SOURCES = {
    "aws-iot": "aws_iot",
    "aws-iot-log": "aws_iot_log",
    "certificates": "certificates",
    "cmdb": "cmdb",
    "device-classes": "device_classes",
    "issuance-log": "issuance_log",
    "mosquitto-log": "mosquitto_log",
    "openssl-ca": "openssl_ca",
    "registry": "registry",
    "secrets": "secrets",
    "trust-anchors": "trust_anchors",
    "zeek": "zeek",
}
"""Kind of source -> module of ``tenure.sources``."""

TREES = frozenset({"certificates"})
"""Kinds that read a tree of any shape: thousands of folders of nothing else are one export, not thousands."""

REPORTS = {
    "terminal": "terminal",
    "json": "json_report",
    "jsonl": "jsonl",
    "csv": "csv_report",
    "sarif": "sarif",
    "html": "html",
}
"""Format -> module of ``tenure.reports``."""


@cache
def source(kind: str) -> Source:
    return cast("Source", import_module(f"tenure.sources.{SOURCES[kind]}").SOURCE)


def sources() -> dict[str, Source]:
    return {kind: source(kind) for kind in SOURCES}


@cache
def report(name: str) -> Report:
    return cast("Report", import_module(f"tenure.reports.{REPORTS[name]}").REPORT)
