"""Checks an auditor's bundle, or one proof file, with Python and `cryptography` alone. Ends with 0 when all is well, else 1.

    python3 checker.py --key 'name+id+base64' [FOLDER]        python3 checker.py --key 'name+id+base64' --proof FILE

Formats: C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-proof; hashes of RFC 6962.
"""

import argparse
import hashlib
import json
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def opened(note: bytes, keys: list[str]) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint that one of the keys signed."""
    text, _, lines = note.decode().rpartition("\n\n")
    for line in lines.splitlines():
        _, name, coded = line.split(" ")
        for trusted, key_id, public in (key.split("+", 2) for key in keys):
            if (name, b64decode(coded)[:4].hex()) == (trusted, key_id):
                Ed25519PublicKey.from_public_bytes(b64decode(public)[1:]).verify(b64decode(coded)[4:], f"{text}\n".encode())
                origin, size, root = text.split("\n")[:3]
                return origin, int(size), b64decode(root)
    raise ValueError("a checkpoint that none of the keys signed")


class Tree:
    """Grows leaf by leaf: ``peaks`` are the perfect subtrees it consists of, ``rows`` the unfinished tile of each level."""

    def __init__(self, folder: Path, signed: dict[int, bytes]) -> None:
        self.folder, self.signed, self.size = folder, signed, 0
        self.peaks: list[tuple[int, bytes]] = []
        self.rows: list[list[bytes]] = []
        self.files: set[Path] = set()
        self.bad_roots: list[int] = []
        self.bad_tiles: list[Path] = []

    def add(self, node: bytes) -> None:
        self.size, height = self.size + 1, 0
        self.keep(0, node)
        while self.peaks and self.peaks[-1][0] == height:
            node, height = sha(b"\1", self.peaks.pop()[1], node), height + 1
            if height % 8 == 0:
                self.keep(height // 8, node)
        self.peaks.append((height, node))
        if self.size in self.signed and self.signed[self.size] != self.root():
            self.bad_roots.append(self.size)

    def keep(self, level: int, node: bytes) -> None:
        self.rows += [[] for _ in range(level + 1 - len(self.rows))]
        self.rows[level].append(node)
        if len(self.rows[level]) == 256:
            self.compare(level)

    def compare(self, level: int) -> None:
        width = len(self.rows[level])
        path = self.folder / "tile" / str(level) / numbered((self.size >> 8 * level) - width >> 8, width)
        self.files.add(path)
        if path.read_bytes() != b"".join(self.rows[level]):
            self.bad_tiles.append(path)
        self.rows[level] = []

    def root(self) -> bytes:
        result = self.peaks[-1][1] if self.peaks else sha()
        for _, node in self.peaks[-2::-1]:
            result = sha(b"\1", node, result)
        return result


def numbered(index: int, width: int) -> str:
    groups = f"{index:,}".replace(",", "/x").split("/")  # 1,234,067 is x001/x234/067
    groups[0] = ("x" if len(groups) > 1 else "") + groups[0].zfill(3)
    return "/".join([*groups[:-1], groups[-1].lstrip("x")]) + ("" if width == 256 else f".p/{width}")


def entries(content: bytes) -> Iterator[bytes]:
    while content:
        stop = 2 + int.from_bytes(content[:2], "big")
        if stop > len(content):
            raise ValueError("an entry bundle ends within an entry")
        yield content[2:stop]
        content = content[stop:]


def check_bundle(folder: Path, keys: list[str]) -> str:
    origin, size, root = opened((folder / "checkpoint").read_bytes(), keys)
    signed, known = {size: root}, {folder / name for name in ("checkpoint", "checker.py", "keys", "README.md")}
    for past in (p for p in (folder / "checkpoints").rglob("*") if p.is_file()):
        whose, then, what = opened(past.read_bytes(), keys)
        if whose != origin or then > size or signed.setdefault(then, what) != what:
            raise ValueError(f"{past} contradicts the checkpoint")
        known.add(past)
    tree, first = Tree(folder, signed), -1
    for index in range(-(-size // 256)):
        width = min(256, size - index * 256)
        bundle = folder / "tile" / "entries" / numbered(index, width)
        tile = (folder / "tile" / "0" / numbered(index, width)).read_bytes()
        hashes = [sha(b"\0", entry) for entry in entries(bundle.read_bytes())]
        wrong = [n for n in range(width) if hashes[n : n + 1] != [tile[n * 32 : n * 32 + 32]]]
        first = index * 256 + wrong[0] if wrong and first < 0 else first
        known.add(bundle)
        if len(hashes) != width:
            raise ValueError(f"{len(hashes)} entries where {width} were signed, from entry {max(first, index * 256)} on")
        for node in hashes:
            tree.add(node)
    for level in (n for n, row in enumerate(tree.rows) if row):
        tree.compare(level)
    if tree.bad_roots:
        where = (
            f"the first that its tile does not know is {first}" if first >= 0 else f"one before {tree.bad_roots[0]} was changed"
        )
        raise ValueError(f"the entries do not give the signed root; {where}")
    if tree.bad_tiles:
        raise ValueError(f"{tree.bad_tiles[0]} is not what the entries give")
    if strangers := sorted(str(p) for p in folder.rglob("*") if p.is_file() and p not in known | tree.files):
        raise ValueError(f"{strangers[0]} does not belong to the ledger")
    return f"{size} entries of {origin} give the signed root, and {len(signed)} checkpoints agree"


def climbed(node: bytes, place: int, size: int, path: list[bytes]) -> bytes:
    """The root that a proof leads to (RFC 6962 section 2.1.1)."""
    if not 0 <= place < size or (size == 1 and path):
        raise ValueError("a proof of another length than the tree is high")
    if size == 1:
        return node
    left = 1 << (size - 1).bit_length() - 1
    if place < left:
        return sha(b"\1", climbed(node, place, left, path[:-1]), path[-1])
    return sha(b"\1", path[-1], climbed(node, place - left, size - left, path[:-1]))


def check_proof(file: Path, keys: list[str]) -> str:
    written = json.loads(file.read_bytes())
    head, _, note = written["proof"].partition("\n\n")
    _, extra, index, *path = head.split("\n")
    origin, size, root = opened(note.encode(), keys)
    leaf, place = b64decode(extra.removeprefix("extra ")), int(index.removeprefix("index "))
    if climbed(sha(b"\0", leaf), place, size, [b64decode(h) for h in path]) != root:
        raise ValueError("the entry does not lead to the signed root")
    shown = f"entry {place} of {origin}: {leaf.decode(errors='replace')}"
    if row := written.get("row"):
        content = b64decode(row["row"])
        top = climbed(sha(b"\0", content), row["index"], row["count"], [b64decode(h) for h in row["path"]])
        if f'"{top.hex()}"'.encode() not in leaf:
            raise ValueError("the row does not lead to the root that the entry names")
        shown += f"\nrow: {content.decode(errors='replace')}"
    return shown


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--key", action="append", help="a key you trust; without one, those in the bundle are believed")
    parser.add_argument("--proof", type=Path)
    asked = parser.parse_args()
    try:
        believed = asked.key or (asked.folder / "keys").read_text("utf-8").splitlines()
        print("OK:", check_proof(asked.proof, believed) if asked.proof else check_bundle(asked.folder, believed))
    except (InvalidSignature, ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        sys.exit(f"WRONG: {str(error) or 'a signature does not fit'}")
    if not asked.key:
        print("But only the keys in the bundle itself were believed: give --key with one you trust.")
