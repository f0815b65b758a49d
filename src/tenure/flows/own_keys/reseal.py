"""All secrets under another passphrase, one file after the other."""

from __future__ import annotations

from dataclasses import replace

from tenure.flows.own_keys.folder import KeyFolder
from tenure.flows.own_keys.sealing import OwnKeyError, Passphrase
from tenure.model.own_keys import OwnKey


def reseal(folder: KeyFolder, passphrase: Passphrase) -> int:
    """How many were sealed. Dead on the way: begin again, what is under the new one is passed over. Raises OwnKeyError."""
    anew, count = replace(folder, passphrase=passphrase), 0
    with folder.alone():
        for key in folder.listed():
            if key.needs_secret and not _opens(anew, key):
                anew.add(key, folder.secret(key))
                count += 1
    return count


def _opens(folder: KeyFolder, key: OwnKey) -> bool:
    try:
        folder.secret(key)
    except OwnKeyError:
        return False
    return folder.sealed(key)
