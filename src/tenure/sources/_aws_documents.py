"""AWS CLI outputs as they lie in files: one JSON document or many, in any encoding a shell writes, in any layout of folders.

A file may hold one page, pages one after the other (``>>``), JSON Lines, or an array of pages. Windows PowerShell writes
UTF-16. What a document answers is seen from its keys; whom it is about (``list-thing-principals`` does not repeat the
thing's name) from the path it lies at.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_TOKENS = ("NextToken", "nextToken", "nextMarker", "NextMarker")
_LISTS = ("things", "certificates", "principals", "policies", "targets", "thingPrincipalObjects", "principalThingObjects")
_CERTIFICATE_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_ARN = re.compile(r"arn:[a-z-]+:iot:([a-z0-9-]+):\s?(\d{12}):(thing|cert|cacert|policy|thinggroup)/(.+)", re.DOTALL)
_SPACE = re.compile(r"\s*")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON object of a file. ``origin`` names file and page."""

    file: str
    origin: str
    value: dict[str, Any]

    def entry(self, name: object) -> str:
        """The origin of one entry of the document's list."""
        return f"{self.file}#{name}"

    @property
    def next_token(self) -> str | None:
        """What the next page would have to be asked with: the listing goes on."""
        return next((str(self.value[key]) for key in _TOKENS if self.value.get(key)), None)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes of a file that are no JSON document. ``listing``: they began as a list of things, certificates ..."""

    file: str
    place: str
    reason: str
    code: str
    data: bytes
    listing: bool


@dataclass(frozen=True, slots=True)
class Arn:
    """A name of AWS IoT: whose it is, and what."""

    region: str
    account: str
    kind: str
    name: str

    @property
    def scope(self) -> str:
        return f"{self.account}/{self.region}"


def arn(text: object) -> Arn | None:
    """The parts of an AWS IoT ARN; None for anything else."""
    if not isinstance(text, str) or (found := _ARN.fullmatch(text.strip())) is None:
        return None
    return Arn(*found.groups())


def certificate_id(text: object) -> bytes | None:
    """The 32 bytes of a certificate id (SHA-256 of the certificate in hex) or of the ARN that ends in one; None otherwise."""
    if not isinstance(text, str):
        return None
    plain = text.strip().rpartition("/")[2].lower()
    return bytes.fromhex(plain) if len(plain) == 64 and _CERTIFICATE_ID.fullmatch(plain) else None


def decoded(data: bytes) -> tuple[str, str]:
    """The text of a file and the encoding it was in: by its byte order mark, else UTF-8. Raises UnicodeDecodeError."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding), encoding
    return data.decode("utf-8"), "utf-8"


def documents(data: bytes, file: str) -> Iterator[Document | Unreadable]:
    """All JSON objects of a file, arrays of them opened; what is no JSON comes once, with the offset in bytes."""
    try:
        text, encoding = decoded(data)
    except UnicodeDecodeError as error:
        yield Unreadable(file, f"byte {error.start}", f"no {error.encoding} text", "malformed-json", data, False)
        return
    decoder = json.JSONDecoder()
    at = _SPACE.match(text, 1 if text.startswith("\ufeff") else 0).end()  # type: ignore[union-attr]  # matches everywhere
    page = 0
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
            value = _storable(value) if _HALF.search(text, at, end) else value
        except (ValueError, RecursionError) as error:
            stop = getattr(error, "pos", at)
            offset = len(text[:stop].encode(encoding, "surrogatepass"))
            listing = any(text.startswith(f'"{key}"', text.find('"', at, at + 200)) for key in _LISTS)
            reason = f"no JSON: {getattr(error, 'msg', '') or type(error).__name__}"
            yield Unreadable(file, f"byte {offset}", reason, "malformed-json", text[at:].encode("utf-8", "replace"), listing)
            return
        for found in value if isinstance(value, list) else [value]:
            page += 1
            origin = file if page == 1 else f"{file}#page-{page}"
            if isinstance(found, dict):
                yield Document(file, origin, found)
            else:
                shown = json.dumps(found)
                reason = f"a JSON {type(found).__name__}, no object: {shown[:80]}"
                yield Unreadable(file, f"page {page}", reason, "unrecognised-json", shown.encode(), False)
        at = _SPACE.match(text, end).end()  # type: ignore[union-attr]  # as above


def _storable(value: object) -> Any:
    """The value with halves of surrogate pairs, which JSON may escape and no text can hold, as question marks."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def moment(value: object) -> datetime | None:
    """A time as AWS CLI 1 (seconds since 1970) or 2 (ISO 8601) prints it; None for what is neither."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            read = datetime.fromisoformat(value.strip())
            return None if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def target(file: str, command: str, *, folder_hint: str) -> str | None:
    """Whom the output of a command is about, from where it lies; None where the path does not say.

    ``COMMAND/TARGET.json``, ``COMMAND-TARGET.json``, ``TARGET.COMMAND.json`` and ``TARGET/COMMAND.json`` are understood, and
    any folder whose name holds ``folder_hint`` in place of ``COMMAND``. A bare page number is no target.
    """
    path = PurePosixPath(file)
    stem = re.sub(r"\.(json|jsonl|ndjson|txt)$", "", path.name, flags=re.IGNORECASE)
    folder = path.parent.name
    if command in stem:
        before, _, behind = stem.partition(command)
        named = re.sub(r"^-v2(?![a-z0-9])", "", behind).lstrip("._- ") or before.rstrip("._- ")
        if named and not named.isdigit():
            return named
        return folder if folder and command not in folder and folder_hint not in folder else None
    return stem if folder_hint in folder or command in folder else None


def certificate_in_path(file: str) -> bytes | None:
    """The last certificate id that stands in the path of a file."""
    found = _CERTIFICATE_ID.findall(file.lower())
    return bytes.fromhex(found[-1]) if found else None
