"""The house rules that a machine can check (CONTRIBUTING.md)."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("saas", "schema", "tenants") for path in (ROOT / folder).rglob("*.py"))
EVERYTHING = [
    *SOURCES,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "bench").rglob("*.py")),
    ROOT / "main.py",
]
LINES_MOST = 400
FUNCTION_MOST = 70


def name(path: Path) -> str:
    """The path as people say it."""
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_tables_belong_to_their_feature(path: Path) -> None:
    for module in imports(path):
        if module.endswith(".models") and module.startswith(("saas.", "tenants.")):
            assert Path(*module.split(".")[:-1]) == path.relative_to(ROOT).parent, module


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_files_and_functions_stay_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if "migrations" not in path.parts:
        assert len(text.splitlines()) <= LINES_MOST
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_MOST, node.name


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_float_comes_near_money(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "float"
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            assert name(path) == "schema/http.py", f"line {node.lineno}"


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "rules.py"], ids=name)
def test_rules_await_nothing(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_public_things_say_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body, "the module"
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


def test_lock_files_name_no_registry() -> None:
    parts = (f"web/{part}/package-lock.json" for part in ("audits", "example", "graphiql"))
    for lock in ("requirements.lock", "requirements-server.lock", *parts):
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert not re.search(r'"resolved"|index-url|https?://[^ "]*(simple|packages)/', text), lock


def test_a_server_holds_nothing_that_only_writing_a_file_needs() -> None:
    """Fonts and workbooks are twenty megabytes of every process."""
    seen = (
        "import sys, main, schema.http, schema.working; print({'fpdf', 'fontTools', 'xlsxwriter'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", seen]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # our own
    assert found.stdout.strip() == "set()"


def test_every_command_is_in_the_operations_guide() -> None:
    from main import cli, importing

    documented = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for app, prefix in ((cli, ""), (importing, "import ")):
        for command in app.registered_commands:
            assert command.callback
            spoken = command.name or command.callback.__name__
            assert f"`python main.py {prefix}{spoken}" in documented, spoken


def test_every_runtime_dependency_is_accounted_for() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    accounted = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    for dependency in project["dependencies"]:
        assert re.split(r"[>=\[]", dependency)[0] in accounted, dependency
