"""What lies in the folder of an ``openssl ca``: whose index, which files are its archive, what is no certificate by its name.

Understood are the layouts of ``openssl ca`` (``newcerts/``), easy-rsa (``pki/issued``, ``certs_by_serial``, ``revoked/``) and
folders that hold several CAs, each with an ``index.txt`` of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from tenure.evidence.snapshot import SnapshotDraft
from tenure.sources._whole_files import folders_below, relative, storable

INDEX = "index.txt"
_ARCHIVES = frozenset(("newcerts", "certs_by_serial", "issued", "certs"))
_PRIVATE = re.compile(r"private(_by_serial)?|.*\.key|.*[-_.]key\.pem", re.IGNORECASE)
_WITHOUT_CERTIFICATES = re.compile(
    r"index\.txt\.(attr|old|attr\.old)|(serial|crlnumber)(\.(txt|old))?|.*\.(cnf|conf|cfg|srl|csr|req|rnd|ext|sh)"
    r"|vars(\.example)?|readme(\.[a-z]+)?|dhparams?\.pem|.*\.(log|md)",
    re.IGNORECASE,
)
_REQUESTS = frozenset(("reqs", "reqs_by_serial", "x509-types"))


class Role(Enum):
    """What a file of a CA folder is to be read for."""

    INDEX = "index"
    ARCHIVED = "archived"  # in the folder where the CA keeps what it issued
    LOOSE = "loose"  # anywhere else: CA certificates, CRLs, copies of certificates
    PRIVATE = "private"  # a private key by its name: never opened
    OTHER = "other"  # counters, settings, requests: nothing to read


@dataclass(frozen=True, slots=True)
class CaFile:
    """A file, with the CA folder it belongs to (relative; ``""`` is the place itself)."""

    path: Path
    name: str
    folder: str
    role: Role


def ca_files(place: Path, draft: SnapshotDraft) -> Iterator[CaFile]:
    """All files below a place in their order. Each belongs to the nearest folder above it that holds an index."""
    indexed: set[str] = set()
    for folder, _, names in folders_below(place, draft):
        here = PurePosixPath(relative(folder, place))
        if INDEX in names:
            indexed.add(here.as_posix())
        owner = next((up.as_posix() for up in (here, *here.parents) if up.as_posix() in indexed), ".")
        for name in (n for n in names if not n.startswith(".")):
            file = here / storable(name)
            yield CaFile(folder / name, file.as_posix(), "" if owner == "." else owner, _role(file))


def _role(file: PurePosixPath) -> Role:
    folders = set(file.parts[:-1])
    if file.name == INDEX:
        return Role.INDEX
    if any(_PRIVATE.fullmatch(part) for part in file.parts):
        return Role.PRIVATE
    if folders & _REQUESTS or _WITHOUT_CERTIFICATES.fullmatch(file.name):
        return Role.OTHER
    return Role.ARCHIVED if folders & _ARCHIVES else Role.LOOSE
