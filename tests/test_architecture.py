"""The layout, held by a machine: imports point one way, siblings are strangers, the pure is pure, importing does nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tenure.wiring import REPORTS, SOURCES

SRC = Path(__file__).resolve().parents[1] / "src" / "tenure"
MODULES = {".".join(p.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): p for p in sorted(SRC.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}

ORDER = (
    "model",
    "pki lifecycle",
    "evidence",
    "sources roll reports registry ledger",
    "flows settings",
    "wiring",
    "api",
    "cli",
    "demo __main__",
)
LEVEL = {package: level for level, packages in enumerate(ORDER) for package in packages.split()}
ANYWHERE = {"__init__", "errors", "clock"}
PURE = ("model", "pki", "lifecycle", "reports")
FAMILIES = {"sources": SOURCES, "reports": REPORTS}
MEMBERS = {f"{family}.{member}" for family, named in FAMILIES.items() for member in named.values()}
OWN_COMMANDS = {"reports.difference", "reports.explanation"}  # shown by commands of their own, not by --format

WORLD = ("os", "shutil", "socket", "ssl", "subprocess", "tempfile", "time", "random", "secrets", "threading", "urllib.request")
BUILTINS = {"open", "print", "input"}
METHODS = {"open", "now", "utcnow", "today", "read_text", "read_bytes", "write_text", "write_bytes", "getenv", "environ", "mkdir"}
AT_WORK = METHODS | {"connect", "run", "Popen", "token_bytes", "monotonic", "home", "cwd", "resolve", "exists", "iterdir", "glob"}
RESOURCES = {"reports.html": {"read_text"}}  # its own template, part of the program


def imports(name: str) -> set[str]:
    """What a module imports, as dotted names; ours without the leading ``tenure``."""
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {w for w in whole if w.removeprefix("tenure.") in MODULES} or {node.module}
    return {"__init__" if i == "tenure" else i.removeprefix("tenure.") for i in found}


def package(name: str) -> str:
    return name.split(".")[0]


def uses(nodes: Iterable[ast.AST]) -> set[str]:
    """Names of what is called: of functions as they are, of methods with a dot before them."""
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    named = {f.id for f in called if isinstance(f, ast.Name)}
    methods = {f".{f.attr}" for f in called if isinstance(f, ast.Attribute)}
    return named | methods | {f".{n.attr}" for n in nodes if isinstance(n, ast.Attribute) and n.attr == "environ"}


def at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs when a module is imported: all but bodies of functions and what stands behind ``__main__``."""
    waiting: list[ast.AST] = [n for n in tree.body if not (isinstance(n, ast.If) and "__main__" in ast.dump(n.test))]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    own = package(name)
    for other in imports(name) & set(MODULES):
        if (to := package(other)) != own and to not in ANYWHERE:
            assert own not in ANYWHERE, f"{name} imports {other}"
            assert LEVEL[to] < LEVEL[own], f"{name} imports {other}"


@pytest.mark.parametrize("name", MODULES)
def test_members_know_no_siblings_and_only_wiring_names_them(name: str) -> None:
    if package(name) in FAMILIES and "." in name:
        assert name in MEMBERS | OWN_COMMANDS or name.split(".")[-1].startswith("_"), f"{name} is no member and no shared file"
    if package(name) not in ("cli", "demo"):  # faces may show one format of their own
        assert not imports(name) & MEMBERS


@pytest.mark.parametrize("name", [m for m in MODULES if package(m) in PURE])
def test_pure_packages_touch_nothing(name: str) -> None:
    assert not [i for i in imports(name) if any(i == w or i.startswith(f"{w}.") for w in WORLD)]
    touched = uses(list(ast.walk(TREES[name])))
    assert not touched & (BUILTINS | {f".{m}" for m in METHODS - RESOURCES.get(name, set())})


@pytest.mark.parametrize("name", MODULES)
def test_nothing_happens_at_import(name: str) -> None:
    assert not uses(list(at_import(TREES[name]))) & (BUILTINS | {f".{m}" for m in AT_WORK})
