"""What is installed from a wheel is all that the checkout has: no file of the server is left behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
SERVES = """
from pathlib import Path
import sys

import kartoteka
from kartoteka.activity.sites.script import delivered
from kartoteka.cli import main

assert Path(kartoteka.__file__).is_relative_to(sys.argv[1]), kartoteka.__file__
assert b"eS" in delivered("0", "shop.example", 1, respect_do_not_track=True)
sys.argv[1:] = ["--help"]
main()
"""


def test_a_wheel_has_every_file_of_the_server(tmp_path: Path) -> None:
    checkout, out = tmp_path / "checkout", tmp_path / "out"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", checkout / "src", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    out.mkdir()
    command = [sys.executable, "-c", BUILD, str(out)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        packed = {name for name in wheel.namelist() if name.startswith("kartoteka/")}
        wheel.extractall(tmp_path / "installed")
    source = checkout / "src"
    files = (path for path in (source / "kartoteka").rglob("*") if path.is_file())
    assert packed == {path.relative_to(source).as_posix() for path in files}

    installed = str(tmp_path / "installed")
    command = [sys.executable, "-c", SERVES, installed]
    environment = {"PYTHONPATH": installed, "PATH": ""}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert "serve" in done.stdout
