"""What stands between a notebook and the hospital?

`sandbox/wall.toml` names every mount, variable and limit with its reason; this module turns it into the one command that
starts a jail. The choices of that command, each answering a finding (docs/decisions):

- `--unshare-user` beside `--unshare-all`, which alone only *tries*; `--disable-userns`: no second namespace inside.
- never real root: the starter drops to the jail's user before bubblewrap runs; no /proc, so no /proc/sys to write to.
- `--remount-ro /` last: bubblewrap's root is a writable tmpfs without a limit; single devices instead of a /dev tmpfs.
- `--block-fd`: nothing is executed inside before the starter holds process 1 and has put it where it is counted.
- `--as-pid-1`: our runner cannot be stopped or killed by the notebook, and its end is the end of the jail.
- every writable folder is a tmpfs with a cap on bytes *and* files, mounted by `sandbox/stage.sh`.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from enclave.errors import NoWall
from enclave.run.cgroup import Cages
from enclave.run.environment import Environment
from enclave.run.limits import Limits
from enclave.run.sandbox import SandboxFiles
from enclave.run.seccomp import assemble
from enclave.run.share import shared_by

TOOLS = {"bwrap": "bubblewrap", "unshare": "util-linux", "mount": "mount", "sh": "dash"}
"""What the host must have, and the Debian package that brings it."""


@dataclass(frozen=True)
class Descriptors:
    """The open files that cross into a jail; everything else stays out."""

    job: int
    frames: int
    watchdog: int
    info: int
    go: int
    filter: int
    notebook_filter: int
    channel: int | None

    def all(self) -> tuple[int, ...]:
        pipes = (self.job, self.frames, self.watchdog, self.info, self.go)
        numbers = (*pipes, self.filter, self.notebook_filter, self.channel)
        return tuple(number for number in numbers if number is not None)


def find_tool(name: str, folders: tuple[str, ...] = ("/usr/bin", "/bin")) -> Path:
    """A host tool by absolute path, owned by root and not set-uid; NoWall naming the package otherwise."""
    for folder in folders:
        path = Path(folder, name)
        if path.is_file():
            about = path.stat()
            # mount is set-uid everywhere; inside our user namespace that bit has no effect (no_new_privs, unmapped root)
            if about.st_uid != 0 or (about.st_mode & stat.S_ISUID and name != "mount"):
                raise NoWall("run.tool_untrusted", tool=path)
            return path
    raise NoWall("run.tool_missing", tool=name, package=TOOLS[name])


@dataclass(frozen=True)
class Wall:
    """A wall that can be put around a notebook on this machine."""

    sandbox: SandboxFiles
    environment: Environment
    limits: Limits
    cages: Cages | None = None
    """Where each jail gets a cgroup of its own; None: rlimits alone."""

    @property
    def counted_by(self) -> str:
        """The code of the words that say what caps a jail's memory."""
        return "run.counted_by_cgroup" if self.cages else "run.counted_by_rlimits"

    @property
    def shared_by(self) -> str:
        """The code of the words that say what lets a jail make way for others on this machine."""
        return shared_by(self.cages)

    @cached_property
    def _mounts(self) -> list[dict[str, str]]:
        return [dict(mount) for mount in self.sandbox.wall["mount"]]

    @cached_property
    def programs(self) -> tuple[bytes, bytes]:
        """The system call filters: of the jail, and of the process that executes the notebook."""
        machine = self.environment.interpreter.machine
        table, numbers = self.sandbox.seccomp, self.sandbox.syscalls[machine]
        return bytes(assemble(table, numbers, machine)), bytes(assemble(table, numbers, machine, notebook=True))

    def _found(self) -> dict[str, list[tuple[str, str]]]:
        """What `{names}` in wall.toml stand for: (here, inside) pairs."""
        python = self.environment.interpreter
        same = {"python": [python.path], "stdlib": [python.stdlib], "loader": [python.loader]}
        pairs = {name: [(str(path), str(path)) for path in paths] for name, paths in same.items()}
        return {**pairs, "libraries": [(str(path), str(path)) for path in python.libraries]}

    def _read(self) -> Iterator[tuple[str, str]]:
        folders = {"{environment}": str(self.environment.packages), "{inside}": str(self.environment.inside)}
        for mount in self._mounts:
            if mount["kind"] != "read":
                continue
            if "from" in mount:
                yield folders[mount["from"]], mount["at"]
            else:
                yield from self._found()[mount["at"].strip("{}")]

    def _of_kind(self, kind: str) -> list[dict[str, str]]:
        return [mount for mount in self._mounts if mount["kind"] == kind]

    def stage(self, limits: Limits) -> list[str]:
        """The command that mounts the capped tmpfs and becomes what follows."""
        caps = []
        for place, mount in enumerate(self._of_kind("write")):
            size, inodes = getattr(limits, mount["mib"]), getattr(limits, mount["inodes"])
            caps += [f"t{place}", f"size={size}m,nr_inodes={inodes},{mount['options']}"]
        namespaces = [str(find_tool("unshare")), "--user", "--map-root-user", "--mount", "--propagation", "private"]
        layer = self.environment.layer
        return [*namespaces, str(find_tool("sh")), str(layer / "stage.sh"), str(layer / "stage"), *caps, "--"]

    def command(self, descriptors: Descriptors, limits: Limits, *, warm: bool = False) -> list[str]:
        """The whole command of one jail; a warm one loads what notebooks use before its job comes."""
        find_tool("mount")
        words = [*self.stage(limits), str(find_tool("bwrap"))]
        words += ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
        words += ["--cap-drop", "ALL", "--clearenv", "--uid", "65534", "--gid", "65534", "--hostname", "jail"]
        for here, inside in self._read():
            words += ["--ro-bind", here, inside]
        for place, mount in enumerate(self._of_kind("write")):
            words += ["--bind", str(self.environment.layer / "stage" / f"t{place}"), mount["at"]]
        for mount in self._of_kind("device"):
            words += ["--dev-bind", mount["at"], mount["at"]]
        words += ["--as-pid-1", "--info-fd", str(descriptors.info), "--block-fd", str(descriptors.go)]
        words += ["--remount-ro", "/"]
        for variable in self.sandbox.wall["variable"]:
            words += ["--setenv", variable["name"], variable["value"]]
        words += ["--chdir", "/tmp", "--seccomp", str(descriptors.filter), "--"]
        return [*words, "/env/bin/python", "-I", "-B", "/inside/runner.py", self._settings(descriptors, limits, warm)]

    def _settings(self, descriptors: Descriptors, limits: Limits, warm: bool) -> str:
        """What the runner must know before it reads a job."""
        fds = {"job": descriptors.job, "frames": descriptors.frames, "watchdog": descriptors.watchdog}
        fds |= {"filter": descriptors.notebook_filter}
        value: dict[str, Any] = {"fds": {**fds, "channel": descriptors.channel}, "limits": vars(limits)}
        value["read"] = [inside for _, inside in self._read()]
        value["write"] = [mount["at"] for kind in ("write", "device") for mount in self._of_kind(kind)]
        return json.dumps({**value, "font_cache": "/env/fonts", "warm": warm})
