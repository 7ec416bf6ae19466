"""Does the wall hold on this machine, now?

A canary notebook tries from inside what a notebook must not do (`sandbox/canary.py`), while something is planted outside
for it to find; a second one spins until its deadline. Every finding is one `Check`; one that is not ok means that no
notebook runs here.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domicile.wire.shapes import OUTPUT_MIME
from enclave.errors import EnclaveError, NoWall
from enclave.run import jail
from enclave.run.notebook import Cell, Source
from enclave.run.output import collect
from enclave.run.wall import Wall

_ASK = f"""
import json
from IPython.display import display
display({{"{OUTPUT_MIME}": {{"text": json.dumps(run(json.loads(planted)))}}}}, raw=True)
"""
_JAILS_OWN, _NOBODYS = 1000, 0x7FFFFFFE
BY_DESIGN = "by design"
"""What is found of a probe that works behind the wall too, for a reason `docs/reference/probes.md` gives."""


@dataclass(frozen=True)
class Check:
    """One thing that was tried: the probe's name, whether the wall held, and what was found."""

    name: str
    ok: bool
    found: str


@contextmanager
def planting() -> Iterator[dict[str, Any]]:
    """Things outside that a canary must not reach: readable files, a folder anybody may write to, a listener, sockets, a
    process."""
    content = f"planted {secrets.token_hex(8)}"
    abstract = f"domicile-{secrets.token_hex(8)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="planted-")))
        folder.chmod(0o755)
        file, shared = folder / "file", Path("/dev/shm", abstract)
        for path in (file, shared):
            path.write_text(content)
            path.chmod(0o644)
        stack.callback(shared.unlink)
        spare = folder / "spare"
        spare.mkdir()
        spare.chmod(0o777)
        for name in ("removed", "renamed"):
            (spare / name).write_text("x")
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for address in ("\0" + abstract, str(folder / "socket")):
            unix = stack.enter_context(socket.socket(socket.AF_UNIX))
            unix.bind(address)
            unix.listen()
        (folder / "socket").chmod(0o777)
        planted = {"file": str(file), "shared": str(shared), "content": content, "abstract": abstract}
        planted |= {"folder": str(folder), "spare": str(spare), "path": str(folder / "socket")}
        port = listener.getsockname()[1]
        yield {**planted, "port": port, "listener": listener.fileno(), "process": _process(), "variable": "PLANTED"}


def _process() -> int:
    """Our own number; in a container that may be one that the jail has too, of a process of its own: then nobody's."""
    return os.getpid() if os.getpid() > _JAILS_OWN else _NOBODYS


def probe(
    wall: Wall, planted: dict[str, Any], carry_out: Callable[[jail.JailSpec], jail.Outcome] | None = None
) -> dict[str, str]:
    """What each probe of the canary found behind `wall` (or in the jail of `carry_out`); NoWall when the canary did not live
    to tell."""
    numbers = wall.sandbox.syscalls[wall.environment.interpreter.machine]
    texts = (*wall.sandbox.canary, f"NUMBERS.update({numbers!r})", _ASK)
    source = Source(tuple(Cell("code", text) for text in texts))
    spec = jail.JailSpec(source, {"planted": json.dumps(planted)})
    outcome = jail.run(wall, spec) if carry_out is None else carry_out(spec)
    try:
        (bundle,) = collect(outcome.notebook or b"", source, wall.limits)
        found = json.loads(json.loads(bundle.payload)["text"])
    except (EnclaveError, ValueError, KeyError) as silent:
        raise NoWall("run.jail_did_not_start", said=outcome.why or outcome.said[-300:]) from silent
    return {str(name): str(what) for name, what in found.items()}


def _spin(wall: Wall) -> Check:
    """A notebook that never ends is ended, at its deadline, and `jail.run` returns only when nothing of it is left."""
    short = dataclasses.replace(wall.limits, seconds=1)
    outcome = jail.run(wall, jail.JailSpec(Source((Cell("code", "while True: pass"),)), limits=short))
    return Check("run_past_the_deadline", outcome.why == "run.deadline", outcome.why)


def selfcheck(wall: Wall) -> list[Check]:
    """Try the wall from inside; NoWall when no jail can be built at all."""
    with planting() as planted:
        found = probe(wall, planted)
    held = [Check(name, what.startswith("held") or what == BY_DESIGN, what) for name, what in found.items()]
    return [*held, _spin(wall)]


def require(wall: Wall) -> list[Check]:
    """The checks; NoWall naming those that failed."""
    checks = selfcheck(wall)
    failed = [check.name for check in checks if not check.ok]
    if failed:
        raise NoWall("run.selfcheck_failed", checks=", ".join(failed))
    return checks
