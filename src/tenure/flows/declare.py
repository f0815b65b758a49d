"""Read ``audit.toml``, and write a commented one with what could be guessed (``tenure audit --init``)."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from tenure.errors import DeclarationError
from tenure.model.declarations import Declarations
from tenure.model.findings import CoverageSummary, FileVerdict

FILE = "audit.toml"


def read_declarations(folder: Path) -> Declarations:
    """What stands in ``audit.toml`` beside the exports; the defaults where there is none.

    Raises DeclarationError naming the entry that cannot be followed.
    """
    path = folder / FILE if folder.is_dir() else folder.parent / FILE
    if not path.is_file():
        return Declarations()
    try:
        return Declarations.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(
            f"{path} is not TOML: {error}", "mend that line; `tenure audit --init` writes a valid example"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DeclarationError(
            f"{path}: {where}: {first['msg']}", "see docs/audit-toml.md for the entries and their values"
        ) from error


def draft_declarations(files: Sequence[FileVerdict], coverage: Sequence[CoverageSummary], makers: Sequence[str]) -> str:
    """A commented ``audit.toml``: every line that could be guessed stands as a comment to be confirmed.

    Nothing in it is in force until somebody takes away the ``#``, so a guess never decides a finding.
    """
    lines = [
        "# What no export says. Lines that begin with # are guesses or examples: check them, then remove the #.",
        "# All entries: docs/audit-toml.md",
        "",
        "# Our own names as they stand in O= of our certificates.",
        '# organisation = ["Example Ltd"]',
        "",
    ]
    for verdict in files:
        if verdict.kind is None:
            lines += [
                f"# {verdict.path}: {verdict.why}",
                "# [[source]]",
                f'# path = "{_quoted(verdict.path)}"',
                '# kind = "ignore"',
                "",
            ]
            continue
        lines += ["# [[source]]", f'# path = "{_quoted(verdict.path)}"  # {verdict.why}', f'# kind = "{verdict.kind}"']
        if verdict.kind in ("mosquitto-log", "aws-iot-log"):
            lines += ['# relying_party = "mqtt.example"', '# time_zone = "Europe/Berlin"  # of time stamps that name none']
        if verdict.kind in ("cmdb", "secrets"):
            lines += ['# strong_identifiers = ["name"]  # only if host names are never used again']
        lines += ["# max_age_days = 7", ""]
        if verdict.kind == "trust-anchors":
            lines += [
                "# [[anchors]]",
                f'# path = "{_quoted(verdict.path)}"',
                '# relying_party = "broker"',
                '# purpose = "operation"  # enrolment | operation | update',
                "",
            ]
    by_party: dict[str, list[CoverageSummary]] = {}
    for row in coverage:
        by_party.setdefault(row.relying_party, []).append(row)
    for party, rows in sorted(by_party.items()):
        sites = ", ".join(f'"{_quoted(r.site)}"' for r in rows if r.site)
        lines += [
            "# Which places this party serves, guessed from the devices that its log shows.",
            "# [[relying_party]]",
            f'# name = "{_quoted(party)}"',
            f"# sites = [{sites}]",
            f"# since = {min(r.since for r in rows).isoformat()}",
            "",
        ]
    for maker in makers:
        lines += [f'# [maker."{_quoted(maker)}"]', '# leading_zeros = "lost"  # or "significant"', "# aliases = []", ""]
    lines += [
        "# [authoritative]",
        "# device_state = []  # paths of sources; default: the CMDB",
        "# credential_state = []  # default: CA and cloud",
        "",
    ]
    return "\n".join(lines)


def _quoted(text: str | None) -> str:
    return (text or "").replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
