"""Certificates of the example fleet that lie about: exports of other portals, birth certificates, images with some inside."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

from tenure.demo.life import World


def files(world: World) -> Iterator[tuple[str, bytes]]:
    for issued in world.issued_by("video"):
        yield f"collected/cameras/{issued.cn}.pem", issued.pem
    meters = [issued.certificate for issued in world.issued_by("metering")]
    yield "collected/meters.p7b", serialize_certificates(meters, Encoding.DER)
    births = b"".join(world.births[serial].pem for serial in sorted(world.births))
    yield "collected/gateways-idevid.pem", births
    damaged = world.authorities["partner"].pem
    yield "collected/partner-ca-copy.pem", damaged[: len(damaged) // 2]
    for issued in world.issued_by("operations"):
        if not issued.plan.listed:
            yield f"collected/{issued.cn}-flash.img", _image(world, issued.cn, issued.der)
    inside = world.authorities["maker"].der, world.authorities["root-g2"].der
    yield "firmware/EG-500-4.2.bin", _image(world, "EG-500-4.2", *inside)


def _image(world: World, label: str, *certificates: bytes) -> bytes:
    """Bytes as of a flash image, with certificates in the middle of it."""
    parts = [b"EGFW", world.chance.octets(4096, "image", label)]
    for number, certificate in enumerate(certificates):
        parts += [certificate, world.chance.octets(2048, "image", label, number)]
    return b"".join(parts)
