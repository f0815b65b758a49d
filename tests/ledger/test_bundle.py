"""The auditor's bundle, checked where there is no Tenure."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tenure.ledger import checkpoint
from tenure.ledger.bundle import FolderSink, ZipSink, export
from tenure.ledger.edge import RightEdge
from tenure.ledger.refusals import DamageError, NoteError, ProofError
from tenure.ledger.tiles import decode_bundle, encode_bundle
from tenure.ledger.tree import leaf_hash
from tests.ledger.world import IDENTITY, ORIGIN, SIGNER, STRANGER, leaf, world

KEY = str(SIGNER.verifier)
CHECKER = Path(checkpoint.__file__).with_name("checker.py")
# An interpreter that ignores environment and user folders, and where `import tenure` fails.
ISOLATED = (
    "import sys, runpy; sys.modules['tenure'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
)


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and last words of the checker in a process of its own."""
    script = folder / "checker.py" if (folder / "checker.py").exists() else CHECKER
    command = [sys.executable, "-I", "-c", ISOLATED, str(script), *(arguments or ("--key", KEY, str(folder)))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    w = world(tmp_path_factory.mktemp("shelf"))
    for _ in range(6):
        w.place(110)
        w.ship()
    folder = tmp_path_factory.mktemp("bundle")
    export(w.store, IDENTITY, FolderSink(folder), w.shelf, lambda _: None)
    return folder


def test_a_sound_bundle_passes(sound: Path) -> None:
    assert run(sound) == (0, f"OK: 660 entries of {ORIGIN} give the signed root, and 3 checkpoints agree")


def test_without_a_key_it_says_what_that_means(sound: Path) -> None:
    code, said = run(sound, str(sound))
    assert code == 0
    assert "only the keys in the bundle itself were believed" in said
    assert KEY in (sound / "README.md").read_text()


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 65536, 65537])
def test_bundles_of_each_shape(tmp_path: Path, size: int) -> None:
    w = world(tmp_path / "shelf", more=size)
    told: list[int] = []
    export(w.store, IDENTITY, FolderSink(tmp_path / "bundle"), None, told.append)
    assert run(tmp_path / "bundle")[0] == 0
    assert len(told) == size // 256


def test_a_bundle_in_one_file(tmp_path: Path) -> None:
    w = world(tmp_path / "shelf", shipped=300, more=7)
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        export(w.store, IDENTITY, ZipSink(archive), w.shelf, lambda _: None)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path / "out")
    assert run(tmp_path / "out")[0] == 0


def rewrite(folder: Path, path: str, change: Callable[[bytes], bytes]) -> None:
    (folder / path).write_bytes(change((folder / path).read_bytes()))


def entry(change: Callable[[list[bytes]], object]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        leaves = decode_bundle(content)
        change(leaves)
        return encode_bundle(leaves)

    return changed


def recomputed(folder: Path) -> None:
    """Tiles that fit an entry that was changed, all the way up."""
    rewrite(folder, "tile/entries/001", entry(lambda e: e.__setitem__(44, b"changed")))
    edge = RightEdge()
    for path in ("tile/entries/000", "tile/entries/001", "tile/entries/002.p/148"):
        edge.extend(leaf_hash(e) for e in decode_bundle((folder / path).read_bytes()))
    for tile, content in edge.take().items():
        width = len(content) // 32
        name = f"tile/{tile.level}/{tile.index:03d}" + ("" if width == 256 else f".p/{width}")
        (folder / name).write_bytes(content)


TAMPERINGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "entry changed": (lambda f: rewrite(f, "tile/entries/001", entry(lambda e: e.__setitem__(44, b"x"))), "is 300"),
    "entry removed": (lambda f: rewrite(f, "tile/entries/001", entry(lambda e: e.pop(44))), "from entry 300 on"),
    "entry inserted": (lambda f: rewrite(f, "tile/entries/001", entry(lambda e: e.insert(44, b"x"))), "from entry 300 on"),
    "entry added": (lambda f: rewrite(f, "tile/entries/002.p/148", entry(lambda e: e.append(b"x"))), "149 entries where 148"),
    "entries swapped": (lambda f: rewrite(f, "tile/entries/001", entry(lambda e: e.insert(44, e.pop(90)))), "is 300"),
    "entry cut": (lambda f: rewrite(f, "tile/entries/001", lambda c: c[:-1]), "ends within an entry"),
    "all recomputed": (recomputed, "one before 440 was changed"),
    "bundle removed": (lambda f: (f / "tile/entries/001").unlink(), "tile/entries/001"),
    "tile changed": (lambda f: rewrite(f, "tile/0/001", lambda c: bytes(32) + c[32:]), "tile/0/001"),
    "upper tile changed": (lambda f: rewrite(f, "tile/1/000.p/2", lambda c: bytes(32) + c[32:]), "tile/1/000.p/2"),
    "tile removed": (lambda f: (f / "tile/1/000.p/2").unlink(), "tile/1/000.p/2"),
    "checkpoint changed": (lambda f: rewrite(f, "checkpoint", lambda c: c.replace(b"660", b"659")), "a signature does not fit"),
    "checkpoint replaced": (lambda f: shutil.copy(f / "checkpoints/001", f / "checkpoint"), "contradicts"),
    "checkpoint forged": (
        lambda f: (f / "checkpoint").write_bytes(checkpoint.sign(ORIGIN, 660, bytes(32), [STRANGER]).note),
        "none of the keys",
    ),
    "past checkpoint changed": (lambda f: rewrite(f, "checkpoints/000", lambda c: c.replace(b"220", b"221")), "does not fit"),
    "past checkpoint of another past": (
        lambda f: (f / "checkpoints/000").write_bytes(checkpoint.sign(ORIGIN, 220, bytes(32), [SIGNER]).note),
        "do not give the signed root",
    ),
    "checkpoint of another ledger": (
        lambda f: (f / "checkpoints/000").write_bytes(checkpoint.sign("other", 220, bytes(32), [SIGNER]).note),
        "contradicts",
    ),
    "file added": (lambda f: (f / "tile/entries/003").write_bytes(b""), "does not belong"),
    "no note": (lambda f: (f / "checkpoint").write_bytes(b"hello"), "not enough values"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_each_tampering_is_found(sound: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(sound, folder)
    tamper, said = TAMPERINGS[name]
    tamper(folder)
    code, words = run(folder)
    assert code == 1
    assert words.startswith("WRONG: ")
    assert said in words


def test_the_checker_needs_no_tenure() -> None:
    text = CHECKER.read_text()
    assert "import tenure" not in text
    assert "from tenure" not in text
    code = [line for line in text.splitlines() if line.strip() and not line.strip().startswith(("#", '"""'))]
    assert len(code) < 150, "somebody has to read it before trusting it"


def test_no_bundle_of_wrong_rows(tmp_path: Path) -> None:
    w = world(tmp_path / "shelf", shipped=300)
    with pytest.raises(ProofError):
        export(world(tmp_path / "empty").store, IDENTITY, FolderSink(tmp_path / "none"), None, lambda _: None)
    w.store.at(7).leaf = b"changed"
    with pytest.raises(DamageError):
        export(w.store, IDENTITY, FolderSink(tmp_path / "bundle"), None, lambda _: None)
    assert not (tmp_path / "bundle/checkpoint").exists()
    w.store.at(7).leaf = leaf(7)
    w.shelf.put("checkpoints/000", b"hello")
    with pytest.raises(NoteError):
        export(w.store, IDENTITY, FolderSink(tmp_path / "bundle"), w.shelf, lambda _: None)
