"""Which interpreter and packages does a notebook find behind the wall, and can the jail's user reach them?

Two layers, each built in a draft folder and renamed, so that it is whole or not there, and re-used by its digest:

    packages-DIGEST   a virtual environment of `sandbox/requirements.txt` (hashes required), compiled, without tools
    inside-DIGEST     our runner and the `domicile` package alone: no `enclave`, no editable install

They lie where every user may walk (`/var/lib/domicile/jail` for root, the home of an ordinary user, who is the jail's user
too): a clone under a 0700 folder works. The interpreter is the first the jail's user can start. Building needs
processes (venv, pip, compileall); this and `run.jail` are the only modules of `run` that start any (docs/decisions).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

from enclave.errors import NoWall
from enclave.run.sandbox import SandboxFiles

_FORMAT = b"1"  # of both layers; raised when their layout changes
_PYTHONS = tuple(Path(f"/usr/bin/python3.{minor}") for minor in (11, 12, 13, 14))
_ASK = """
import json, platform, sys, sysconfig
libc = next(line.split()[-1] for line in open("/proc/self/maps") if "/libc.so.6" in line or "/libc-2" in line)
print(json.dumps({"version": sys.version, "stdlib": sysconfig.get_path("stdlib"), "prefix": sys.base_prefix,
    "libraries": libc.rpartition("/")[0], "machine": platform.machine(),
    "shared": sysconfig.get_config_var("Py_ENABLE_SHARED") and sysconfig.get_config_var("LIBDIR") or None}))
"""
_LOADERS = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}
_FONTS = """
import json, pathlib, matplotlib, matplotlib.font_manager
cache = next(pathlib.Path(matplotlib.get_cachedir()).glob("fontlist-*.json"))
fonts = json.loads(cache.read_text())  # those of this machine are not behind the wall: keep matplotlib's own
for kind in ("ttflist", "afmlist"):
    fonts[kind] = [font for font in fonts[kind] if not font["fname"].startswith("/")]
cache.write_text(json.dumps(fonts))
"""

Say = Callable[[str], None]


@dataclass(frozen=True)
class JailUser:
    """Who the jail runs as: never root, and shared with nothing else when root starts it."""

    uid: int
    gid: int

    def __post_init__(self) -> None:
        if self.uid == 0 or self.gid == 0:
            raise NoWall("run.jail_user_is_root")

    @property
    def change(self) -> tuple[int | None, int | None, tuple[int, ...] | None]:
        """User, group and further groups `subprocess` changes to; None each when the starter already is this user."""
        return (self.uid, self.gid, ()) if os.geteuid() == 0 else (None, None, None)


def jail_user(uid: int = 64100, gid: int = 64100) -> JailUser:
    """`uid` when root starts jails; an ordinary user's jails are that user's (only the namespaces part them)."""
    return JailUser(uid, gid) if os.geteuid() == 0 else JailUser(os.geteuid(), os.getegid())


def environments_folder() -> Path:
    """Where the layers are kept unless the settings say otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/domicile/jail")
    return Path.home() / ".local/share/domicile/jail"


@dataclass(frozen=True)
class Interpreter:
    """A Python the jail's user can start, and what it needs beside itself."""

    path: Path
    version: str
    machine: str
    stdlib: Path
    libraries: tuple[Path, ...]
    loader: Path


@dataclass(frozen=True)
class Environment:
    """What is bound into every jail; `digest` pins it in receipts."""

    interpreter: Interpreter
    packages: Path
    layer: Path
    user: JailUser
    digest: str = field(default="")
    lock: str = ""
    """SHA-256 of the requirements that were installed; the same lock is handed out for notebooks at home."""

    @property
    def python(self) -> Path:
        return self.packages / "bin" / "python"

    @property
    def inside(self) -> Path:
        return self.layer / "inside"


def _start(
    command: Sequence[str], environ: dict[str, str], user: JailUser | None = None
) -> subprocess.CompletedProcess[str]:
    uid, gid, groups = user.change if user else (None, None, None)
    return subprocess.run(
        command,
        env=environ,
        cwd="/",
        check=False,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        umask=0o022,
        user=uid,
        group=gid,
        extra_groups=groups,
    )


def _as_jail_user(user: JailUser, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return _start([str(word) for word in command], {"PATH": "/usr/bin:/bin"}, user)


def _build(step: str, *command: str | Path, must: bool = True, **more: str) -> None:
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **more}
    done = _start([str(word) for word in command], environ)
    if must and done.returncode != 0:
        raise NoWall("run.environment_failed", step=step, said=" ".join((done.stderr or done.stdout).split())[-600:])


def find_interpreter(user: JailUser, candidates: Sequence[Path] = _PYTHONS) -> Interpreter:
    """The first of `candidates`, then the product's own, that `user` can walk to and start."""
    own = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    for path in (*candidates, own):
        try:
            asked = _as_jail_user(user, path, "-I", "-S", "-c", _ASK)
        except OSError:  # not there, or not reachable for this user
            continue
        if asked.returncode != 0:
            continue
        found = json.loads(asked.stdout)
        loader = _LOADERS.get(found["machine"])
        if loader is None:
            raise NoWall("run.machine_unknown", machine=found["machine"], known=", ".join(sorted(_LOADERS)))
        extra = [found["shared"]] if found["shared"] and found["prefix"] != "/usr" else []
        libraries = tuple(dict.fromkeys(Path(folder) for folder in [found["libraries"], *extra]))
        return Interpreter(path, found["version"], found["machine"], Path(found["stdlib"]), libraries, Path(loader))
    raise NoWall("run.no_interpreter", tried=", ".join(str(path) for path in (*candidates, own)), uid=user.uid)


def lock_of(sandbox: SandboxFiles) -> tuple[str, str]:
    """The requirements that are behind the wall, and the SHA-256 of their text."""
    text = sandbox.path("requirements.txt").read_text(encoding="utf-8")
    return text, hashlib.sha256(text.encode()).hexdigest()


def _product() -> dict[str, bytes]:
    """The files of the domicile package, as they are installed here."""
    with as_file(files("domicile")) as folder:
        found = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        content = {f"domicile/{path.relative_to(folder)}": path.read_bytes() for path in found}
    metadata = f"Metadata-Version: 2.1\nName: domicile\nVersion: {version('domicile')}\n"
    return {**content, f"domicile-{version('domicile')}.dist-info/METADATA": metadata.encode()}


def _digest(parts: dict[str, bytes], interpreter: Interpreter) -> str:
    total = hashlib.sha256(_FORMAT + interpreter.version.encode() + str(interpreter.path).encode())
    for name, content in sorted(parts.items()):
        total.update(b"%s\0%d\0" % (name.encode(), len(content)) + content)
    return total.hexdigest()[:32]


@contextmanager
def _drafting(target: Path) -> Iterator[Path]:
    """A sibling of `target` that becomes it whole, or is gone."""
    draft = target.with_name(f".{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)  # of a builder that died: the lock is ours
    draft.mkdir(mode=0o755)
    try:
        yield draft
        draft.chmod(0o755)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One builder at a time."""
    old = os.umask(0o022)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    finally:
        os.umask(old)
    _check_ours(folder)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_ours(folder: Path) -> None:
    """Nobody but us may write where the inside of the wall comes from."""
    about = folder.stat()
    if about.st_uid not in (0, os.geteuid()) or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise NoWall("run.environment_writable", folder=folder)


def _build_packages(sandbox: SandboxFiles, interpreter: Interpreter, target: Path) -> None:
    with _drafting(target) as draft:
        _build("venv", interpreter.path, "-I", "-m", "venv", "--without-pip", draft)
        python = draft / "bin" / "python"
        install: list[str | Path] = [
            "install",
            "--quiet",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--no-deps",
            "--no-compile",
        ]
        lock = sandbox.path("requirements.txt")
        pip: list[str | Path] = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
        _build("pip install", *pip, *install, "-r", lock)
        site = next((draft / "lib").glob("python3*/site-packages"))
        (site / "inside.pth").write_text("/inside/site\n")
        _build("fonts", python, "-I", "-c", _FONTS, MPLCONFIGDIR=str(draft / "fonts"))
        for tool in (draft / "bin").iterdir():  # their first lines name the draft, and no tools are wanted inside
            if not tool.name.startswith("python"):
                tool.unlink()
        # packages carry test files that are no Python of today: what does not compile is compiled when imported
        compiled: tuple[str | Path, ...] = (
            "-q",
            "-q",
            "-j",
            "0",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
            draft,
            "-p",
            "/env",
        )
        _build("compile", python, "-I", "-m", "compileall", *compiled, site, must=False)


def _build_layer(parts: dict[str, bytes], python: Path, target: Path) -> None:
    with _drafting(target) as draft:
        for name, content in parts.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (draft / "stage").mkdir()
        for path in draft.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        compiled: tuple[str | Path, ...] = ("-q", "--invalidation-mode", "unchecked-hash", "-s", draft, "-p", "/")
        _build("compile", python, "-I", "-m", "compileall", *compiled, draft / "inside")


def prepare(
    sandbox: SandboxFiles,
    *,
    folder: Path | None = None,
    user: JailUser | None = None,
    pythons: Sequence[Path] = _PYTHONS,
    say: Say = lambda _: None,
) -> Environment:
    """Find or build both layers, and walk to them as the jail's user; NoWall with the reason when that cannot be."""
    user, folder = user or jail_user(), folder or environments_folder()
    interpreter = find_interpreter(user, pythons)
    text, locked = lock_of(sandbox)
    lock = {"requirements.txt": text.encode()}
    parts = {f"inside/site/{name}": content for name, content in _product().items()}
    parts |= {f"inside/{name}": sandbox.path(name).read_bytes() for name in ("runner.py", "client.py")}
    parts |= {"stage.sh": sandbox.path("stage.sh").read_bytes()}
    packages = folder / f"packages-{_digest(lock, interpreter)}"
    layer = folder / f"inside-{_digest(parts, interpreter)}"
    if packages.is_dir() and layer.is_dir():  # whole, or they would not be there; the folder may be read-only
        _check_ours(folder)
    else:
        with _locked(folder):
            if not packages.is_dir():
                say("run.building_environment")
                _build_packages(sandbox, interpreter, packages)
            if not layer.is_dir():
                _build_layer(parts, packages / "bin" / "python", layer)
    digest = hashlib.sha256(f"{packages.name} {layer.name}".encode()).hexdigest()
    environment = Environment(interpreter, packages, layer, user, digest, locked)
    check_reachable(environment)
    return environment


def check_reachable(environment: Environment) -> None:
    """Walk to every file the jail is made of as the jail's own user; NoWall naming the first it cannot reach."""
    read = "import sys; [open(path).close() for path in sys.argv[1:]]"
    wanted = [environment.inside / "runner.py", environment.layer / "stage.sh", environment.packages / "pyvenv.cfg"]
    try:
        walked = _as_jail_user(environment.user, environment.python, "-I", "-S", "-c", read, *wanted)
    except OSError as unreachable:
        raise NoWall("run.not_reachable", folder=environment.packages, uid=environment.user.uid) from unreachable
    if walked.returncode != 0:
        raise NoWall("run.not_reachable", folder=environment.layer, uid=environment.user.uid)
