"""Removes one lock, one unique key, one tenant filter at a time and runs the tests of that room: each must fail.

``python -m tests.torture.mutants`` does all of them; words narrow it down to those whose description holds one, and
``--list`` only tells them. Each mutant is a change of the text in a copy of the project. Exit code 1 when one survives.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
KINDS = (
    ("lock", ("saas", "tenants"), re.compile(r"\{tx\.for_(?:update|share)\}|, tx\.for_update")),
    ("tenant filter", ("saas", "tenants"), re.compile(r"\b(?:\w\.)?tenant_id = \$1 AND ")),
    ("unique key", ("saas/base/db/migrations",), re.compile(r",?\s*\n\s*UNIQUE \(tenant_id, [^)]*\)")),
    ("unique index", ("saas/base/db/migrations",), re.compile(r"\n\s*unique=True,")),
)
"""What is removed: a name, where to look, what to cut out."""

NOT_MUTATED = ("saas/base/db/tx.py", "saas/base/db/postgres.py", "saas/base/db/sqlite.py", "saas/demo/")
SLOW = ("tests/browser", "tests/bench", "tests/torture/test_kill.py", "tests/torture/test_postgres.py")
ROOMS = {
    "saas/base/db/migrations": ("tests/base", "tests/ledger", "tests/network", "tests/orders", "tests/payouts",
                                "tests/exits", "tests/tenants", "tests/settlement", "tests/proof"),
    "saas/base/chain.py": ("tests/proof",),
    "saas/proof": ("tests/proof",),
    "saas/network": ("tests/network", "tests/orders/test_placing_races.py", "tests/exits"),
    "tenants": ("tests/tenants", "tests/api"),
}  # fmt: skip
"""Which tests answer for which source, where it is not the folder of the same name."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One removal."""

    kind: str
    path: str
    start: int
    end: int

    def __str__(self) -> str:
        text = (ROOT / self.path).read_text("utf-8")
        line = text.count("\n", 0, self.end) + 1
        return f"{self.kind} {self.path}:{line} {' '.join(text[self.start : self.end].split())}"

    def apply(self, root: Path) -> None:
        """Cut it out of a copy."""
        path = root / self.path
        text = path.read_text("utf-8")
        path.write_text(text[: self.start] + text[self.end :], "utf-8")

    def tests(self) -> list[str]:
        """The tests that must see it."""
        for source, tests in ROOMS.items():
            if self.path.startswith(source):
                return [test for test in tests if (ROOT / test).exists()]
        own = f"tests/{Path(self.path).parts[1]}"
        return [own if (ROOT / own).exists() else "tests", "tests/torture/test_crash.py"]


def mutants() -> Iterator[Mutant]:
    """All of them."""
    for kind, folders, pattern in KINDS:
        for folder in folders:
            for path in sorted((ROOT / folder).rglob("*.py")):
                name = path.relative_to(ROOT).as_posix()
                if name.startswith(NOT_MUTATED):
                    continue
                for found in pattern.finditer(path.read_text("utf-8")):
                    yield Mutant(kind, name, found.start(), found.end())


def survives(mutant: Mutant) -> bool:
    """Whether the tests do not see it."""
    with TemporaryDirectory(prefix="banyan-mutant-") as folder:
        copy = Path(folder) / "project"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "var", "tmp")
        shutil.copytree(ROOT, copy, ignore=ignored)
        mutant.apply(copy)
        slow = [word for path in SLOW for word in ("--ignore", path)]
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *slow, *mutant.tests()]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if done.returncode not in {0, 1, 2}:
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode == 0


def main(words: list[str]) -> int:
    """Make the mutants and tell what became of each; answers how many survived."""
    survivors = 0
    chosen = [one for one in mutants() if all(word in str(one) for word in words if word != "--list")]
    for number, mutant in enumerate(chosen, start=1):
        if "--list" in words:
            print(mutant)
            continue
        alive = survives(mutant)
        survivors += alive
        print(f"{number}/{len(chosen)} {'SURVIVED' if alive else 'seen'}: {mutant}", flush=True)
    print(f"{len(chosen)} mutants" if "--list" in words else f"{len(chosen)} mutants, {survivors} survived")
    return survivors


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
