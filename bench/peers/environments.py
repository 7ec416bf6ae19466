"""Where does a peer run? In an environment of its own, made of a lock with hashes, and kept by the lock's digest.

Under `$XDG_CACHE_HOME/domicile/peers` (`~/.cache/domicile/peers`). One that cannot be made is told with the last words of
pip, and the run goes on without it. Java, which one of them needs, must be there already: nothing is installed outside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from bench.peers.registry import Peer

NEEDS_JAVA = ("tumult",)
NO_JAVA = "it needs Java: install Debian's default-jre-headless"


class NotInstalled(Exception):
    """The environment could not be made; the words say why."""


def kept() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "domicile" / "peers"


def python_of(peer: Peer) -> Path:
    """The interpreter of the peer's environment, made if it is not there."""
    if peer.name in NEEDS_JAVA and shutil.which("java") is None:
        raise NotInstalled(NO_JAVA)
    digest = sha256(peer.requirements.read_bytes()).hexdigest()[:16]
    folder = kept() / f"{peer.name}-{digest}"
    if not (folder / "ready").exists():
        print(f"preparing {peer.title} {peer.version} in {folder}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "--requirement",
        ]
        _run([str(folder / "bin" / "python"), *install, str(peer.requirements)])
        (folder / "ready").touch()
    return folder / "bin" / "python"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NotInstalled(" ".join((done.stderr.strip() or done.stdout.strip() or "no words").splitlines()[-1:])[:300])
