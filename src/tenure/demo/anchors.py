"""Who trusts whom in the example fleet: bundles of the broker, a gateway, two firmwares, and of enrolment."""

from __future__ import annotations

from collections.abc import Iterator

from tenure.demo.life import World

BUNDLES = {
    "broker-main": ("root-g2", "video", "metering", "partner"),
    "enrolment": ("maker",),
    "firmware-EG-500-3.9": ("root-g1", "root-g2-first"),
    "firmware-EG-500-4.2": ("root-g2", "root-g2-first"),
    "gateway-east": ("root-g2", "metering"),
}
"""File name without suffix -> authorities."""


def files(world: World) -> Iterator[tuple[str, bytes]]:
    for bundle, names in BUNDLES.items():
        yield f"anchors/{bundle}.pem", b"".join(world.authorities[name].pem for name in names)
