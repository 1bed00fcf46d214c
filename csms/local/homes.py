"""Where the private servers keep their data, and as whom they run: never as root, which PostgreSQL refuses for good reason."""

import hashlib
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from csms.local.processes import Trouble, say

#: Where the data of a checkout of root's lies: a folder that an unprivileged user may reach.
SYSTEM_FOLDER = Path("/var/lib")


@dataclass(frozen=True)
class Home:
    """A data folder, and the user (uid, gid) its servers run as; None is whoever we are."""

    folder: Path
    user: tuple[int, int] | None = None

    def popen(self) -> dict[str, Any]:
        """What makes a Popen run as that user, in a folder it may be in."""
        options: dict[str, Any] = {"cwd": self.folder, "umask": 0o077}
        if self.user:
            options |= {"user": self.user[0], "group": self.user[1], "extra_groups": []}
        return options

    def make_folder(self, name: str) -> Path:
        """An empty folder that belongs to that user. The rest of `folder` is ours, and the user may only read it."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        if self.user:
            os.chown(path, *self.user)
        return path

    def write(self, name: str, text: str) -> Path:
        """A file for that user's eyes."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
        self.share(path)
        return path

    def share(self, path: Path) -> None:
        """Let that user read a file, or a folder with all it holds."""
        if self.user:
            for found in [path, *path.rglob("*")]:
                os.chown(found, -1, self.user[1], follow_symlinks=False)
                if not found.is_symlink():
                    mode = found.stat().st_mode
                    found.chmod(mode | (mode & 0o500) >> 3)


def find_home(services: Path, name: str) -> Home:
    """The data folder `.services/<name>`, made if need be. As root it is a link to one under /var/lib."""
    place = services / name
    if os.geteuid() != 0:
        place.mkdir(mode=0o700, exist_ok=True)
        return Home(place)
    account = _unprivileged()
    home = Home(
        SYSTEM_FOLDER / f"csms-{hashlib.sha256(str(services).encode()).hexdigest()[:10]}-{name}", (account.pw_uid, account.pw_gid)
    )
    if place.is_symlink() and place.readlink() == home.folder and home.folder.is_dir():
        return home
    if place.is_symlink() and place.readlink() != home.folder:
        say(f"This checkout was moved or copied and begins with empty data; what it had is in {place.readlink()}.")
    shutil.rmtree(home.folder, ignore_errors=True)  # of a checkout that stood here before and was deleted
    home.folder.mkdir(mode=0o750)
    home.share(home.folder)
    place.unlink(missing_ok=True)
    place.symlink_to(home.folder)
    say(f"Running as root: PostgreSQL and Redis run as the user {account.pw_name}, their data is in {home.folder}.")
    return home


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Trouble("PostgreSQL never runs as root, and there is no user postgres or nobody. Run this as another user than root.")
