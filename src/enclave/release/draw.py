"""How is a vetted chart drawn without trusting what draws it?

vl-convert runs a whole JavaScript engine and can read `file://`; it gets a specification of ours, in a bubblewrap child
with no network, no home, no data, nothing writable, an empty environment, and limits on time and file size. Where that
child cannot be built, nothing is drawn: there is no other way to a picture.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from enclave.errors import Incident, NoWall, Refused
from enclave.release import easel
from enclave.release.specification import FONT, has_han

_SECONDS = 90
_MAX_PNG = 32 * 1024 * 1024


def _read_only() -> Iterator[tuple[str, str]]:
    """What the child can see: interpreter, standard library, shared libraries, fonts, the drawing library."""
    python = Path(sys.executable).resolve()
    base = Path(sys.base_prefix).resolve()
    seen = [python, Path(sysconfig.get_path("stdlib", vars={"installed_base": str(base), "base": str(base)}))]
    library = sysconfig.get_config_var("LDLIBRARY")
    seen += [path for path in (base / "lib").glob(f"{library}*") if library and library.startswith("libpython")]
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    seen += [Path("/usr/lib", multiarch), Path("/lib", multiarch), Path("/lib64"), Path("/usr/lib64")]
    seen += [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        Path("/etc/fonts"),
        Path("/usr/share/fontconfig"),
    ]
    for path in seen:
        if path.exists():
            yield str(path), str(path)
    engine = find_spec("vl_convert")
    if engine is None or engine.origin is None:
        raise NoWall("release.no_engine")
    yield str(Path(engine.origin).parent), "/easel/vl_convert"
    yield easel.__file__, "/easel/easel.py"


def _command() -> list[str]:
    bubblewrap = shutil.which("bwrap", path="/usr/bin:/bin")
    if bubblewrap is None:
        raise NoWall("release.no_wall")
    words = [bubblewrap, "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
    words += ["--cap-drop", "ALL", "--clearenv", "--uid", "65534", "--gid", "65534", "--hostname", "easel"]
    for here, inside in _read_only():
        words += ["--ro-bind", here, inside]
    words += ["--remount-ro", "/", "--chdir", "/easel", "--"]
    return [*words, str(Path(sys.executable).resolve()), "-I", "-B", "/easel/easel.py"]


def draw(specifications: Sequence[dict[str, Any]]) -> list[bytes]:
    """The PNG of each specification, drawn in one child."""
    if not specifications:
        return []
    asked = {"font": FONT, "han": any(map(has_han, specifications)), "specifications": list(specifications)}
    try:
        done = subprocess.run(
            _command(),
            input=json.dumps(asked, allow_nan=False).encode(),
            capture_output=True,
            timeout=_SECONDS,
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise Incident("release.drawing_failed") from late
    if done.returncode == easel.NO_HAN_FONT:
        raise Refused("release.no_han_font")
    if done.returncode != 0:
        if b"bwrap" in done.stderr:
            raise NoWall("release.no_wall")
        raise Incident("release.drawing_failed")
    return [_png(text) for text in json.loads(done.stdout)]


def _png(text: str) -> bytes:
    picture = base64.b64decode(text)
    if not picture.startswith(b"\x89PNG\r\n\x1a\n") or len(picture) > _MAX_PNG:
        raise Incident("release.drawing_failed")
    return picture
