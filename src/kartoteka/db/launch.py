"""Starting programs of PostgreSQL: as which user, and never longer than we live.

PostgreSQL refuses to run as root. Root therefore starts it as an ordinary user, who owns the
cluster and nothing else; an ordinary user starts it as they are.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

SYSTEM_USER = "kartoteka"
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_PR_CAPBSET_READ = 23
_CAPABILITY_VERSION_3 = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2
_ON_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)


class Owner(msgspec.Struct, frozen=True):
    """The user a cluster belongs to."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        """True when no change of user is needed."""
        return self.uid == os.geteuid()


def owner_of(cluster: Path) -> Owner:
    """Who runs PostgreSQL on that folder: us, or for root its owner or the user `kartoteka`.

    Without a user of that name root makes one; where that fails it is `nobody`.
    """
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    if cluster.exists() and (found := cluster.stat()).st_uid != 0:
        return Owner(found.st_uid, found.st_gid)
    user = _user(SYSTEM_USER) or _add_user(SYSTEM_USER) or pwd.getpwnam("nobody")
    return Owner(user.pw_uid, user.pw_gid)


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _add_user(name: str) -> pwd.struct_passwd | None:
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        return None
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    subprocess.run([program, *options, name], capture_output=True, check=False)
    return _user(name)


def before_exec(owner: Owner, paths: Iterable[Path]) -> Callable[[], None]:
    """What a child does before it becomes PostgreSQL: change user, and stop when we are gone.

    `paths` are what it must reach. When a folder above them is closed to that user (a clone under
    /root), the child keeps the one capability that opens folders, instead of us opening the folder
    to everybody.
    """
    wanted = _search_capability() if any(not can_reach(path, owner) for path in paths) else None
    parent = os.getpid()

    def become() -> None:
        if not owner.is_us:
            _change_user(owner, wanted)
        os.umask(0o077)
        if _ON_LINUX:
            # SIGINT is PostgreSQL's "fast shutdown": it closes the cluster cleanly.
            _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return become


def can_reach(path: Path, owner: Owner) -> bool:
    """True when every folder above `path` lets that user through by its mode."""
    return owner.uid == 0 or all(_lets_through(folder, owner) for folder in path.absolute().parents)


def _lets_through(folder: Path, owner: Owner) -> bool:
    found = folder.stat()
    if found.st_uid == owner.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == owner.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _search_capability() -> int | None:
    """The smaller of the two capabilities that open folders, of those that we have."""
    if not _ON_LINUX or os.geteuid() != 0:
        return None
    for capability in (_DAC_READ_SEARCH, _DAC_OVERRIDE):
        if _libc.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) == 1:
            return capability
    return None


def _change_user(owner: Owner, capability: int | None) -> None:
    if capability is not None:
        _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(owner.gid)
    os.setuid(owner.uid)
    if capability is not None:
        _keep_only(capability)


def _keep_only(capability: int) -> None:
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    wanted = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable
    _libc.capset(header, wanted)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)
