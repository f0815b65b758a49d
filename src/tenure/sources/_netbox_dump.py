"""A Django dump of NetBox (``manage.py dumpdata``) as the entries its API would give: foreign keys resolved, devices only.

Kept in memory: names of types, roles, sites, tenants and platforms, and the MACs of devices' interfaces.
"""

from __future__ import annotations

from typing import Any, Final

from tenure.sources._tabular import Entry, Peek, Table, column_key

_NAMED: Final = {
    "dcim.manufacturer": "name",
    "dcim.devicetype": "model",
    "dcim.devicerole": "name",
    "dcim.platform": "name",
    "dcim.site": "name",
    "tenancy.tenant": "name",
}


def is_netbox_dump(seen: Peek) -> bool:
    """Whether it is a Django dump (rows of model, key and fields) of an application with NetBox's device tables."""
    entry = seen.entry
    return (
        seen.shape == "document"
        and entry is not None
        and {"model", "fields"} <= entry.keys() <= {"model", "pk", "fields"}
        and isinstance(entry["fields"], dict)
        and '"dcim' in seen.text
    )


class NetBoxDump:
    """What a first pass over the dump finds; ``device`` then turns its rows into entries of the API's shape."""

    def __init__(self, table: Table) -> None:
        self._named: dict[tuple[str, str], tuple[str, str]] = {}  # (model, pk) -> name, manufacturer pk
        self._macs: dict[str, dict[str, None]] = {}  # device pk -> MACs
        self._machines = 0
        interfaces: dict[str, str] = {}  # interface pk -> device pk, for MACs that are objects of their own (NetBox 4.2)
        loose: list[tuple[str, str]] = []
        for _place, entry in table.entries(quiet=True):
            model, key, fields = str(entry.get("model")), str(entry.get("pk")), entry.get("fields")
            if not isinstance(fields, dict):
                continue
            if model in _NAMED:
                self._named[(model, key)] = (str(fields.get(_NAMED[model]) or ""), str(fields.get("manufacturer")))
            elif model == "virtualization.virtualmachine":
                self._machines += 1
            elif model == "dcim.interface":
                interfaces[key] = str(fields.get("device"))
                if mac := fields.get("mac_address"):
                    self._macs.setdefault(interfaces[key], {})[str(mac)] = None
            elif model == "dcim.macaddress" and fields.get("mac_address"):
                loose.append((str(fields.get("assigned_object_id")), str(fields["mac_address"])))
        for interface, mac in loose:
            if interface in interfaces:
                self._macs.setdefault(interfaces[interface], {})[mac] = None

    @property
    def columns(self) -> frozenset[str]:
        """The columns its entries may have, for the choice of the mapping."""
        names = ("id", "name", "serial", "asset_tag", "status.value", "site.name", "device_type.model", "last_updated")
        return frozenset(map(column_key, names))

    def device(self, entry: Entry) -> Entry | None:
        """The device of a row; None for a row of anything else."""
        fields = entry.get("fields")
        if entry.get("model") != "dcim.device" or not isinstance(fields, dict):
            return None
        kind, maker = self._named.get(("dcim.devicetype", str(fields.get("device_type"))), ("", ""))
        key = str(entry.get("pk"))
        shaped: dict[str, Any] = {name: fields.get(name) for name in ("name", "serial", "asset_tag", "last_updated")}
        return shaped | {
            "id": key,
            "status": {"value": fields.get("status")},
            "device_type": {"model": kind, "manufacturer": {"name": self._name("dcim.manufacturer", maker)}},
            "role": {"name": self._name("dcim.devicerole", fields.get("role") or fields.get("device_role"))},
            "site": {"name": self._name("dcim.site", fields.get("site"))},
            "tenant": {"name": self._name("tenancy.tenant", fields.get("tenant"))},
            "custom_fields": fields.get("custom_field_data"),
            "mac_addresses": list(self._macs.get(key, ())),
        }

    def notes(self) -> list[str]:
        """What of the dump is no device, for people."""
        return [f"{self._machines} virtual machines of NetBox are no devices and were left out"] if self._machines else []

    def _name(self, model: str, key: object) -> str:
        return self._named.get((model, str(key)), ("", ""))[0]
