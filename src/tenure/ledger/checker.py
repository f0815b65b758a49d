"""Checks an auditor's bundle, or one proof file, with Python and `cryptography` alone.

    python3 checker.py [--key 'name+id+base64'] [FOLDER]      python3 checker.py --key 'name+id+base64' --proof FILE

Formats: C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-proof; RFC 6962 hashes. Ends with 0 when all is well, else 1.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def read(path):
    if not path.is_file():
        sys.exit(f"WRONG: {path} is missing")
    return path.read_bytes()


def opened(note, keys):
    """Origin, size and root of a checkpoint that one of the keys signed."""
    text, _, lines = note.decode().rpartition("\n\n")
    for line in lines.splitlines():
        _, name, coded = line.split(" ")
        raw = base64.b64decode(coded)
        for key in keys:
            if (name, raw[:4].hex()) == tuple(key.split("+", 2)[:2]):
                public = base64.b64decode(key.split("+", 2)[2])[1:]
                Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text.encode() + b"\n")
                origin, size, root = text.split("\n")[:3]
                return origin, int(size), base64.b64decode(root)
    sys.exit("WRONG: a checkpoint is signed by none of the keys")


class Tree:
    """Grows leaf by leaf; ``peaks`` are the perfect subtrees it consists of, ``tiles`` the hashes at heights 0, 8, 16..."""

    def __init__(self, roots):
        self.size, self.peaks, self.tiles, self.roots, self.wrong = 0, [], {}, roots, []

    def add(self, node):
        self.size, height = self.size + 1, 0
        self.tiles.setdefault(0, []).append(node)
        while self.peaks and self.peaks[-1][0] == height:
            node, height = sha(b"\1", self.peaks.pop()[1], node), height + 1
            if height % 8 == 0:
                self.tiles.setdefault(height // 8, []).append(node)
        self.peaks.append((height, node))
        if self.roots.get(self.size, self.root) != self.root:
            self.wrong.append(self.size)

    @property
    def root(self):
        result = None
        for _, node in reversed(self.peaks):
            result = node if result is None else sha(b"\1", node, result)
        return result or sha()


def numbered(index, width):
    digits = f"{index:0{-(-len(str(index)) // 3) * 3}d}"
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    return "/".join([f"x{g}" for g in groups[:-1]] + groups[-1:]) + ("" if width == 256 else f".p/{width}")


def entries(content):
    while content:
        stop = 2 + int.from_bytes(content[:2], "big")
        if stop > len(content):
            sys.exit("WRONG: an entry bundle ends within an entry")
        yield content[2:stop]
        content = content[stop:]


def check_bundle(folder, keys):
    origin, size, root = opened(read(folder / "checkpoint"), keys)
    roots, known = {size: root}, {folder / name for name in ("checkpoint", "checker.py", "keys", "README.md")}
    for past in sorted(p for p in (folder / "checkpoints").rglob("*") if p.is_file()):
        past_origin, past_size, past_root = opened(read(past), keys)
        if past_origin != origin or past_size > size or roots.setdefault(past_size, past_root) != past_root:
            sys.exit(f"WRONG: {past} contradicts the checkpoint")
        known.add(past)
    tree, shown, first = Tree(roots), Tree({}), None
    for index in range(-(-size // 256)):
        width = min(256, size - index * 256)
        bundle, tile = folder / "tile/entries" / numbered(index, width), folder / "tile/0" / numbered(index, width)
        known.add(bundle)
        hashes = [sha(b"\0", entry) for entry in entries(read(bundle))]
        said = read(tile)
        for place in range(max(width, len(hashes))):
            mine, its = hashes[place : place + 1], said[place * 32 : place * 32 + 32]
            if mine != [its] and first is None:
                first = index * 256 + place
            for node in mine:
                tree.add(node)
            shown.add(its)
    if tree.root != root or tree.size != size or tree.wrong:
        named = shown.root == root and first is not None
        where = f"the first bad entry is {first}" if named else f"not the tree that was signed ({tree.wrong[:1] or tree.size})"
        sys.exit(f"WRONG: {where}")
    for level, hashes in tree.tiles.items():
        for index in range(-(-len(hashes) // 256)):
            part = hashes[index * 256 : index * 256 + 256]
            tile = folder / "tile" / str(level) / numbered(index, len(part))
            known.add(tile)
            if read(tile) != b"".join(part):
                sys.exit(f"WRONG: {tile} is not what the entries give")
    if strangers := sorted(str(p) for p in folder.rglob("*") if p.is_file() and p not in known):
        sys.exit(f"WRONG: {strangers[0]} does not belong to the ledger")
    print(f"OK: {size} entries of {origin} give the signed root; {len(roots)} checkpoints agree")


def check_proof(file, keys):
    written = json.loads(file.read_bytes())
    head, _, note = written["proof"].partition("\n\n")
    _, extra, index, *path = head.split("\n")
    origin, size, root = opened(note.encode(), keys)
    leaf, place, path = base64.b64decode(extra[6:]), int(index[6:]), [base64.b64decode(h) for h in path]
    if climb(sha(b"\0", leaf), place, size, path) != root:
        sys.exit("WRONG: the entry does not lead to the signed root")
    if row := written.get("row"):
        raw, up = base64.b64decode(row["row"]), [base64.b64decode(h) for h in row["path"]]
        top = climb(sha(b"\0", raw), row["index"], row["count"], up)
        if top is None or b'"%s"' % top.hex().encode() not in leaf:
            sys.exit("WRONG: the row does not lead to the root that the entry names")
        print("row:", raw.decode(errors="replace"))
    print(f"OK: entry {place} of {origin}:", leaf.decode(errors="replace"))


def climb(node, place, size, path):
    """RFC 9162 section 2.1.3.2; None when the path has another length than the tree is high."""
    last = size - 1
    if not 0 <= place <= last:
        return None
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = sha(b"\1", sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = sha(b"\1", node, sibling)
        place, last = place >> 1, last >> 1
    return node if last == 0 else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--key", action="append", help="a key you trust; without one, those in the bundle are believed")
    parser.add_argument("--proof", type=Path)
    asked = parser.parse_args()
    believed = asked.key or read(asked.folder / "keys").decode().split()
    if not asked.key:
        print("note: the keys in the bundle are believed; give --key to check against one you trust")
    try:
        check_proof(asked.proof, believed) if asked.proof else check_bundle(asked.folder, believed)
    except (InvalidSignature, ValueError, LookupError, TypeError, AttributeError) as error:
        sys.exit(f"WRONG: cannot be what was signed ({type(error).__name__}: {error})")
