"""The system account of the engines: PostgreSQL refuses to run as root."""

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tmi.engines.errors import EngineError

NAME = "tmi-engines"
_TRAVERSE = stat.S_IXOTH


@dataclass(frozen=True)
class Account:
    """Who an engine runs as; `uid` None means as ourselves."""

    uid: int | None = None
    gid: int | None = None

    def popen(self) -> dict[str, Any]:
        """Arguments for subprocess: the account, a private umask, nothing inherited."""
        own: dict[str, Any] = {"umask": 0o077, "start_new_session": True, "stdin": subprocess.DEVNULL}
        env = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        if self.uid is None:
            return own | {"env": env}
        return own | {"env": env, "user": self.uid, "group": self.gid, "extra_groups": []}

    def own_dir(self, path: Path) -> None:
        """Makes a directory that only this account may enter; EngineError when it is somebody else's."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found, ours = path.lstat(), os.geteuid()
        wanted = ours if self.uid is None else self.uid
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (ours, wanted):
            raise EngineError(
                f"{path} belongs to somebody else: remove it, or set TMI_DATA_DIR to another place"
            )
        if found.st_uid != wanted:
            os.chown(path, wanted, -1 if self.gid is None else self.gid)
        path.chmod(0o700)

    def let_in(self, path: Path) -> None:
        """Lets this account pass through the directories above a path; nothing becomes readable."""
        if self.uid is None:
            return
        for parent in path.resolve().parents:
            mode = parent.stat().st_mode
            if not mode & _TRAVERSE and parent.stat().st_uid != self.uid:
                parent.chmod(stat.S_IMODE(mode) | _TRAVERSE)

    def let_read(self, tree: Path, sample: Path) -> None:
        """Lets this account read a tree of program files that a strict umask has closed."""
        self.let_in(tree / "x")
        if self.uid is None or sample.stat().st_mode & stat.S_IXOTH:
            return
        for path in [tree, *tree.rglob("*")]:
            mode = stat.S_IMODE(path.lstat().st_mode)
            if not path.is_symlink():
                path.chmod(mode | stat.S_IROTH | (_TRAVERSE if mode & stat.S_IXUSR else 0))


def choose(data_dir: Path) -> Account:
    """Ourselves; for root the owner of the data that is there, else an account made for the engines."""
    if os.geteuid() != 0:
        return Account()
    for place in (data_dir / "postgres", data_dir):
        owner = place.stat().st_uid if place.exists() else 0
        if owner and _known(owner):
            return Account(owner, pwd.getpwuid(owner).pw_gid)
    entry = _made()
    return Account(entry.pw_uid, entry.pw_gid)


def _known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _made() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        subprocess.run(  # noqa: S603  fixed arguments; the shadow tools live in different places
            [*command, "--shell", "/bin/false", NAME], check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        raise EngineError(
            f"PostgreSQL does not run as root, and the account {NAME} cannot be made: "
            "start as an ordinary user, or set database.postgres.host"
        ) from None
    return pwd.getpwnam(NAME)
