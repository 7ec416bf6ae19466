"""What does a notebook find at home? The packages it finds behind the wall, and nothing else.

The enclave tells its lock (`/environment`): requirements with hashes. They are installed here into an environment of their
own, named after the digest of that text and this Python, whole or not there; `domicile` itself is laid beside them, as
behind the wall. JupyterLab is not in it: it runs from wherever `domicile` is installed, and starts kernels in here.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

from domicile.client.problem import refusal
from domicile.wire.shapes import EnvironmentCard

KERNEL = "domicile"
_SHOWN = 400
"""Characters of pip's own words that are shown when it refuses."""


def folder_of_environments() -> Path:
    """Where they are kept: XDG's place for data, else ~/.local/share."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "domicile" / "lab"


@dataclass(frozen=True)
class Locked:
    """An environment that is whole."""

    packages: Path
    product: Path
    """The folder with `domicile` alone."""

    @property
    def python(self) -> Path:
        return self.packages / "bin" / "python"

    def kernel(self) -> Path:
        """Write the kernel that JupyterLab is to start; the folder that JUPYTER_PATH must name."""
        place = self.packages.parent / f"jupyter-{self.packages.name}-{self.product.name}"
        spec = {
            "argv": [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python, as behind the wall",
            "language": "python",
            "env": {"PYTHONPATH": str(self.product)},
        }
        folder = place / "kernels" / KERNEL
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kernel.json").write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
        return place


def built(card: EnvironmentCard, folder: Path | None = None, on_build: Callable[[], None] = lambda: None) -> Locked:
    """The environment of this lock, made if it is not there yet; ProblemError when it cannot be made as it was locked."""
    text = card.requirements.encode()
    if hashlib.sha256(text).hexdigest() != card.digest:
        raise refusal("environment_altered")
    folder = folder or folder_of_environments()
    packages = folder / f"packages-{card.digest[:32]}-py{sys.version_info.major}.{sys.version_info.minor}"
    content = dict(_product())
    product = folder / f"domicile-{_digest(content)}"
    with _locked(folder):
        if not packages.is_dir():
            on_build()
            with _drafting(packages) as draft:
                _install(text, draft)
        if not product.is_dir():
            with _drafting(product) as draft:
                for name, data in content.items():
                    (draft / name).parent.mkdir(parents=True, exist_ok=True)
                    (draft / name).write_bytes(data)
    return Locked(packages, product)


def _install(lock: bytes, draft: Path) -> None:
    venv.EnvBuilder(with_pip=False, symlinks=True).create(draft)
    path = draft / "requirements.txt"
    path.write_bytes(lock)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(draft / "bin" / "python")]
    wanted = ["install", "--quiet", "--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", str(path)]
    done = subprocess.run([*pip, *wanted], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())
        raise refusal("environment_failed", said=said[-_SHOWN:])


def _product() -> Iterator[tuple[str, bytes]]:
    """The files of the domicile package, as they are installed here."""
    with as_file(files("domicile")) as folder:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"domicile/{path.relative_to(folder)}", path.read_bytes()
    metadata = f"Metadata-Version: 2.1\nName: domicile\nVersion: {version('domicile')}\n"
    yield f"domicile-{version('domicile')}.dist-info/METADATA", metadata.encode()


def _digest(parts: dict[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, content in parts.items():
        total.update(b"%s\0%d\0" % (name.encode(), len(content)) + content)
    return total.hexdigest()[:32]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _drafting(target: Path) -> Iterator[Path]:
    """A sibling of `target` that becomes it whole, or is gone."""
    draft = target.with_name(f".{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
