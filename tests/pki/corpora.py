"""Every certificate of the corpora, wherever and however it stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tenure.pki.containers import Contained, certificates_in

FOLDERS = (
    "zlint-certificates", "x509-limbo", "tpm-vendor-cas", "matter-paa", "openssl-ca-libest", "fleet-sample", "aws-iot-cli",
    "attestation", "log-excerpts",
)  # fmt: skip


def certificates(corpus: Path) -> Iterator[tuple[str, bytes]]:
    """Where it stands and its DER."""
    folders = [corpus / folder for folder in FOLDERS]
    if (system := Path("/etc/ssl/certs")).is_dir():
        folders.append(system)
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                for found in certificates_in(path.read_bytes()):
                    if isinstance(found, Contained):
                        yield f"{path}#{found.place}", found.der
