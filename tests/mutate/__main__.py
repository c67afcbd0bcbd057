"""Prints rule → the first test that catches its flip; exit code 1 if one is not caught.

Words on the command line choose: `python -m tests.mutate bulk`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutate import MUTATIONS
from tests.mutate.mutation import PACKAGE, SOURCE, Mutation

ROOT = SOURCE.parent
RULES = ROOT / "tests" / "rules"
FORMS = (RULES / "contacts" / "test_names.py", RULES / "contacts" / "test_contact_form.py")
"""D18: what is dropped is decided where a body is read."""
LISTS = (RULES / "contacts" / "test_lists.py", RULES / "contacts" / "test_members.py")
"""D14 for attach and detach, and what a body of theirs may mean."""
BULK = (RULES / "contacts" / "test_bulk_whose.py", RULES / "contacts" / "test_bulk.py")
"""Rows of bulk calls and files; their laws only say in more words what these show."""
ORDERS = (RULES / "activity" / "orders" / "test_orders.py",)
ACTIVITY = (RULES / "activity" / "test_events.py", RULES / "activity" / "test_spans.py")
APPS = (RULES / "activity" / "test_apps.py",)
"""D36: what untrusted apps may do."""
CLAIMS = (RULES / "activity" / "test_claims.py",)
"""D36 and D37 for public callers."""
WORKERS = 2
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", f"--confcutdir={RULES}")
ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""Rule tests need no plugin and no database; importing those would take most of the time."""
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py)(?:::(.+?))?(?: - .*)?$", re.MULTILINE)


def main(words: Sequence[str]) -> int:
    """Only flips whose line has one of these words, if any are given."""
    started = time.monotonic()
    chosen = [
        one
        for one in MUTATIONS
        if not words or any(word in f"{one.decision} {one.rule} {one.file}" for word in words)
    ]
    with tempfile.TemporaryDirectory() as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(WORKERS):
            copies.put(copy_source(Path(folder) / str(number)))
        if caught := run_tests(copies, None):
            print(f"The tests fail without any flip: {caught}")
            return 1
        with ThreadPoolExecutor(WORKERS) as pool:
            missed = report(pool.map(lambda one: (one, run_tests(copies, one)), chosen))
    print(f"\n{len(chosen)} flips in {time.monotonic() - started:.0f} s, {len(missed)} not caught")
    for one in missed:
        print(f"NOT CAUGHT {one.decision}: {one.rule} ({one.file})")
    return 1 if missed else 0


def report(results: Iterator[tuple[Mutation, str | None]]) -> list[Mutation]:
    """Print a line for each; the flips that nobody noticed."""
    missed = []
    for one, caught in results:
        print(f"{one.decision:5} {one.rule:57} {caught or 'NOT CAUGHT'}", flush=True)
        if caught is None:
            missed.append(one)
    return missed


def copy_source(to: Path) -> Path:
    shutil.copytree(SOURCE / PACKAGE, to / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    return to


def run_tests(copies: SimpleQueue[Path], mutation: Mutation | None) -> str | None:
    """The first rule test that fails on a copy of the source with this flip."""
    source = copies.get()
    try:
        if mutation is None:
            return first_failure(source, "")
        with mutation.applied(source):
            return first_failure(source, mutation.decision)
    finally:
        copies.put(source)


def first_failure(source: Path, decision: str) -> str | None:
    """Run the tests of that decision first, then the others, until one fails."""
    files = [*sorted((RULES / "identity").glob("test_d*.py")), *FORMS, *LISTS, *BULK]
    files += [*ORDERS, *ACTIVITY, *CLAIMS, *APPS]
    files.sort(key=lambda path: not is_about(path, decision))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, *map(str, files)],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    found = _FAILED.search(done.stdout)
    if found is None:
        raise RuntimeError(done.stdout + done.stderr)
    return f"{Path(found[1]).stem}::{found[2]}" if found[2] else Path(found[1]).stem


def is_about(path: Path, decision: str) -> bool:
    """`test_d10a_shared.py` is about D10a."""
    if decision == "orders":
        return path in ORDERS
    if decision == "D18":
        return path in FORMS
    if decision == "lists":
        return path in LISTS
    if decision in ("D36", "D37"):
        return path in (*CLAIMS, *ACTIVITY)
    if decision == "bulk":
        return path in BULK
    if decision == "apps":
        return path in APPS
    wanted = re.sub(r"^D(\d)(?!\d)", r"D0\1", decision).lower()
    return path.name.startswith(f"test_{wanted}_")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
