"""Who is in the example fleet: families of devices, and what one device is, holds and does. Values only.

Times are days before the as-of time of the fleet; negative ones lie after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

SITES = ("north", "south", "east", "west", "harbour")
FAR_SITE = "island"
"""Its broker's log is not among the exports."""

LOG_DAYS = 180.0
"""How far back the logs go."""

Windows: TypeAlias = tuple[tuple[float, float], ...]
"""From when to when something was in use."""

ALWAYS: Windows = ((LOG_DAYS, 0.0),)
NEVER: Windows = ()


@dataclass(frozen=True, slots=True)
class Family:
    """One model of device and how all of it works."""

    id: str
    prefix: str  # of names
    model: str
    maker: str
    rotation: str
    hardware: str
    domain: str
    owner: str
    manager: str
    oui: str
    serial: str  # format
    share: int  # of 100 healthy devices
    authority: str = ""  # who issues its certificates
    cloud: bool = False  # connects to the cloud, not to the broker


FAMILIES = {
    family.id: family
    for family in (
        Family("gateway", "gw", "EG-500", "Example Gateways", "online", "TPM 2.0", "grid", "Grid Operations", "ops-grid",
               "02:00:11", "EG{:07d}", 20, "operations"),
        Family("thermostat", "thermostat", "ET-20", "Example Thermostats", "online", "software", "buildings",
               "Building Services", "ops-buildings", "02:00:22", "00{:08d}", 34, "cloud", cloud=True),
        Family("controller", "plc", "EC-7", "Example Controllers", "manual", "none", "plant", "Plant Engineering", "ops-plant",
               "02:00:33", "{:08X}", 18),
        Family("sensor", "sensor", "ES-3", "Example Sensors", "none", "none", "field", "Field Services", "ops-field",
               "02:00:44", "00{:08d}", 18),
        Family("camera", "cam", "EV-4", "Example Cameras", "manual", "software", "video", "Site Security", "ops-video",
               "02:00:55", "EV{:08d}", 6, "video"),
        Family("meter", "meter", "EM-9", "Example Meters", "manual", "secure element", "grid", "Grid Operations",
               "Example Metering Services", "02:00:66", "EM{:08d}", 4, "metering"),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate to be issued to a device."""

    issued: float
    days: float = 397.0
    used: Windows = ALWAYS  # clipped at the day of issue
    label: str = "current"
    authority: str = ""  # empty: the family's
    key: str = "own"  # one name is one key of the device; "shared ..." is one key of the fleet
    rsa1024: bool = False
    sha1: bool = False
    endless: bool = False
    revoked: float | None = None
    reason: str = "superseded"
    listed: bool = True  # in the record of its CA
    status: str = "ACTIVE"  # in the cloud
    policies: tuple[str, ...] = ("ThermostatPolicy",)


@dataclass(frozen=True, slots=True)
class Token:
    """An API token of a device. ``expires`` None is an empty cell; ``never`` writes a date that stands for none."""

    created: float
    expires: float | None
    last_used: float | None = 0.3
    label: str = "current"
    never: bool = False
    revoked: float | None = None
    scopes: str = "telemetry:write"
    shared: str = ""  # name of a secret that several devices were given; empty: its own


@dataclass(frozen=True, slots=True)
class Visit:
    """One session that the rhythm of a device does not explain."""

    ago: float
    minutes: float
    certificate: str = ""  # label; empty: by name and password
    address: str = ""  # empty: the device's own at that time
    client: str = ""  # empty: the device's own
    refusal: str = ""  # why it was refused; empty: accepted


@dataclass(frozen=True, slots=True)
class Device:
    """One device as its story wants it. ``case`` names the story; empty for a device about which there is none."""

    family: Family
    name: str
    serial: str
    mac: str
    site: str
    client: str
    case: str = ""
    member: int = 0  # of the cast of its case
    state: str = "Installed"
    installed: float = 400.0
    left: float | None = None  # left service
    owner: str = ""
    owner_changed: float | None = None
    domain: str = ""
    gateway: str = ""  # serial of the gateway that vouches for it
    registered: bool = True  # stands in the CMDB
    discovered: bool = True  # the CMDB's discovery has seen it
    records: int = 1  # with ids of their own
    rows: int = 1  # of one and the same record
    leases: tuple[tuple[float, str], ...] = ()  # since when it has the address of that name
    certificates: tuple[Certificate, ...] = ()
    tokens: tuple[Token, ...] = ()
    logs_in: Windows = NEVER  # with name and password
    anonymous: bool = False  # names itself by client id only
    tls13: bool = False  # hides its certificate from sensors
    ssh_key: str = ""  # as Certificate.key
    psk: bool = False
    holds: tuple[str, ...] = ()  # authorities whose CA certificate it holds as its own
    birth: bool = False  # its birth certificate was collected
    visits: tuple[Visit, ...] = ()
