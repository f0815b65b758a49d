"""Export of the registry: one consistent view of it as a folder, which the audit reads like any other source's."""

from __future__ import annotations

from pathlib import Path

from tenure.evidence.registry_export import Manifest, write_export
from tenure.registry import export_rows
from tenure.registry.lanes import home
from tenure.registry.registry import Registry


def export_registry(registry: Registry, folder: Path) -> Manifest:
    """All of it, in place of an older export. Raises SourceError for a folder of something else, RegistryError before the
    first event."""
    with registry.read() as reading:
        return write_export(folder, home(reading), registry.world.now(), export_rows.files(reading))
