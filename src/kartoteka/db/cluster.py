"""The files of an embedded PostgreSQL: made once, tuned at every start."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path

from kartoteka.db.launch import Owner, before_exec
from kartoteka.db.programs import BIN, clean_environment
from kartoteka.errors import SettingsError

SUPERUSER = "postgres"
_MB = 1 << 20


def cluster_folder(data_dir: Path) -> Path:
    """Where PostgreSQL keeps its files."""
    return data_dir / "postgres"


def read_password(data_dir: Path) -> str:
    """The password of the embedded PostgreSQL, made at the first start, readable by us alone."""
    path = data_dir / "postgres.password"
    if not path.exists():
        write_private(path, secrets.token_hex(24))
    return path.read_text("ascii").strip()


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def make_cluster(data_dir: Path, owner: Owner, scratch: Path) -> None:
    """`initdb`, in a folder that gets its name when it is complete: a kill leaves no half of one.

    `scratch` is a folder of `owner`, for the password on its way.
    """
    cluster, unfinished = cluster_folder(data_dir), data_dir / "postgres.new"
    if (cluster / "PG_VERSION").exists():
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    password = scratch / "password"
    write_private(password, read_password(data_dir))
    for path in (unfinished, password):
        os.chown(path, owner.uid, owner.gid)
    try:
        _initdb(unfinished, password, owner)
    finally:
        password.unlink(missing_ok=True)
    unfinished.rename(cluster)


def _initdb(folder: Path, password: Path, owner: Owner) -> None:
    # The built-in locale knows all of Unicode and is the same on every machine.
    options = ["--auth=scram-sha-256", f"--username={SUPERUSER}", f"--pwfile={password}"]
    options += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    options += ["--builtin-locale=C.UTF-8", "--no-instructions", f"--pgdata={folder}"]
    made = subprocess.run(
        [BIN / "initdb", *options],
        preexec_fn=before_exec(owner, [BIN / "initdb", folder]),
        env=clean_environment(),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise SettingsError(
            f"PostgreSQL could not be set up in {folder.parent}: {made.stderr.strip()[-500:]}"
        )


def write_configuration(cluster: Path, socket_folder: Path, owner: Owner) -> None:
    """Settings and access rules, written anew at every start; `local.conf` may add to them."""
    access = "# Made by Kartoteka.\nlocal all all scram-sha-256\n"
    settings = configuration(socket_folder, memory_bytes())
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    text = "\n".join(["# Made by Kartoteka; own settings go into local.conf.", *lines])
    for name, content in (
        ("pg_hba.conf", access),
        ("postgresql.conf", f"{text}\ninclude_if_exists = 'local.conf'"),
    ):
        write_private(cluster / name, content)
        os.chown(cluster / name, owner.uid, owner.gid)


def configuration(socket_folder: Path, memory: int) -> dict[str, str]:
    """Settings of the server, tuned for many small commits; nothing that could lose one."""
    buffers = min(max(memory // 8, 64 * _MB), 4096 * _MB) // _MB
    return {
        # Reached through the socket only.
        "listen_addresses": "",
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
        "port": "5432",
        "max_connections": "100",
        "password_encryption": "scram-sha-256",
        # What was acknowledged stays.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        # Memory and disk.
        "shared_buffers": f"{buffers}MB",
        "effective_cache_size": f"{max(memory // 2 // _MB, 128)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{min(max(memory // 32 // _MB, 64), 512)}MB",
        "wal_buffers": "16MB",
        "min_wal_size": "256MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "jit": "off",
        "autovacuum_naptime": "20s",
        "autovacuum_vacuum_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.05",
        # The log names no statement and no value: they hold personal data.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "lc_messages": "C",
    }


def memory_bytes() -> int:
    """The memory of this machine, or the part of it that this container may use."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.exists() else "max"
    return min(total, int(text)) if text.isdigit() else total
