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
    user: tuple[int, int] | None

    def popen(self) -> dict[str, Any]:
        """What makes a Popen run as that user, in a folder it may be in."""
        options: dict[str, Any] = {"cwd": self.folder, "umask": 0o077}
        if self.user:
            options |= {"user": self.user[0], "group": self.user[1], "extra_groups": []}
        return options

    def give(self, path: Path) -> None:
        """Hand a file or a folder with all it holds to that user."""
        if self.user:
            for found in [path, *path.rglob("*")]:
                os.chown(found, *self.user, follow_symlinks=False)


def find_home(services: Path, name: str) -> Home:
    """The data folder `.services/<name>`, made if need be. As root it is a link to one under /var/lib."""
    place = services / name
    if os.geteuid() != 0:
        place.mkdir(mode=0o700, exist_ok=True)
        if place.stat().st_uid != os.geteuid():
            raise Trouble(f"{place} belongs to another user. Run this as that user, or delete {services} to begin anew.")
        return Home(place, None)
    if place.is_dir() and not place.is_symlink() and (owner := place.stat()).st_uid != 0:
        return Home(place, (owner.st_uid, owner.st_gid))  # the checkout of somebody who works as root for once
    account = _unprivileged()
    user = (account.pw_uid, account.pw_gid)
    mark = hashlib.sha256(str(services).encode()).hexdigest()[:10]
    target = SYSTEM_FOLDER / f"csms-{mark}-{name}"
    if place.is_symlink() and place.readlink() == target and target.is_dir():
        return Home(target, (target.stat().st_uid, target.stat().st_gid))
    if place.is_symlink() and place.readlink() != target:
        say(f"This checkout was moved or copied and begins with empty data; what it had is in {place.readlink()}.")
        place.unlink()
    shutil.rmtree(target, ignore_errors=True)  # of a checkout that stood here before and was deleted
    target.mkdir(mode=0o700)
    os.chown(target, *user)
    place.unlink(missing_ok=True)
    place.symlink_to(target)
    say(f"Running as root: PostgreSQL and Redis run as the user {account.pw_name}, their data is in {target}.")
    return Home(target, user)


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Trouble("PostgreSQL never runs as root, and there is no user postgres or nobody. Run this as another user than root.")
