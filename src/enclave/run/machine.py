"""What does this machine give the wall to be made of?

Facts for whoever runs the house; none of them decides anything. What holds is tried (`enclave.run.selfcheck`), not read off.
"""

from __future__ import annotations

import ctypes
import os

from enclave.run.wall import Wall, find_tool

_LANDLOCK_CREATE_RULESET, _VERSION = 444, 1  # include/uapi/linux/landlock.h; the same number on every machine


def landlock_version() -> int:
    """Which interface of Landlock the kernel has; 0 for none."""
    libc = ctypes.CDLL(None)
    return max(0, int(libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)))


def facts(wall: Wall) -> dict[str, str]:
    """Name → what was found; NoWall naming the package where a tool is missing."""
    user, python = wall.environment.user, wall.environment.interpreter
    starter = "root, who becomes that user first" if os.geteuid() == 0 else "the same user"
    about = os.uname()
    return {
        "kernel": f"{about.release} {about.machine}",
        "landlock": str(landlock_version()),
        "bubblewrap": str(find_tool("bwrap")),
        "jails_run_as": f"{user.uid}:{user.gid}, started by {starter}",
        "interpreter": f"{python.path} ({python.version.split()[0]})",
        "packages": str(wall.environment.packages),
        "environment": wall.environment.digest,
        "cgroup": str(wall.cages.folder) if wall.cages else "-",
    }
