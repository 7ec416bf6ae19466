"""What a notebook behind the wall can do, and how each way of ending is told."""

from __future__ import annotations

import dataclasses
import json
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from domicile.lab.locked import built
from domicile.wire import frame
from domicile.wire.shapes import EnvironmentCard
from enclave.errors import BadInput, NoWall
from enclave.run import JailSpec, OwnError, Progress, Wall
from enclave.run.environment import lock_of
from enclave.run.jail import run
from enclave.run.limits import Limits
from enclave.run.notebook import Source

from .conftest import Runner, notebook

pytestmark = pytest.mark.xdist_group("jail runs")  # one worker: the jail is shared


def test_packages_of_the_lock_and_the_product_are_there_but_the_enclave_is_not(jailed: Runner) -> None:
    (found,) = jailed.declared(
        "import pandas, pyarrow, matplotlib.pyplot as plt, domicile.wire.frame\n"
        "plt.bar(['a'], [1]); plt.show()\n"
        "import importlib.metadata, importlib.util, sys\n"
        "declare([importlib.util.find_spec('enclave') is None, importlib.metadata.version('domicile'), sys.path])"
    )
    no_enclave, version, path = found
    assert no_enclave and version
    assert all(place.startswith(("/env/", "/inside/", "/usr/lib/")) or place == "" for place in path), path


def test_a_figure_nobody_will_see_is_closed_but_not_drawn(jailed: Runner) -> None:
    (found,) = jailed.declared(
        "import io\nimport matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\naxes.bar(['a'], [1])\ndrawn = []\n"
        "keep = figure.canvas.mpl_connect('draw_event', drawn.append)\nplt.show()\n"
        "shown, left = len(drawn), plt.get_fignums()\n"
        "figure.savefig(io.BytesIO())\ndeclare([shown, left, len(drawn)])"
    )
    shown, left, saved = found
    assert (shown, left) == (0, [])
    assert saved > 0, "the control: a notebook that saves a figure draws it"


def test_parameters_arrive_as_they_were_typed_and_are_never_code(jailed: Runner) -> None:
    sent = {
        "text": "'; raise SystemExit #\"\\\n{x} 长",
        "number": -(2**62),
        "share": 0.1,
        "yes": True,
        "nothing": None,
        "many": ["a\"'", 2, False],
    }
    (found,) = jailed.declared("declare([text, number, share, yes, nothing, many])", parameters=sent)
    assert found == list(sent.values())


def test_outputs_come_back_in_order_and_nothing_else_does(jailed: Runner) -> None:
    outcome = jailed(
        "print('secret'); declare(1); 'secret'", "declare(2)", "import sys; print('secret', file=sys.stderr)"
    )
    assert outcome.state == "finished"
    assert b"secret" not in (outcome.notebook or b"")
    assert jailed.declared("declare(1)", "declare(2); declare(3)") == [1, 2, 3]


def test_a_failing_notebook_tells_class_cell_and_line_only(jailed: Runner) -> None:
    outcome = jailed("x = 1\n\nraise ValueError('secret')")
    assert (outcome.state, outcome.why) == ("failed", "run.notebook_error")
    assert outcome.error == OwnError("ValueError", 1, 3)
    assert outcome.notebook is None
    assert "secret" not in repr(dataclasses.replace(outcome, said=""))


def test_a_failure_in_a_library_names_the_line_of_the_notebook(jailed: Runner) -> None:
    outcome = jailed("import json\njson.loads('{')")
    assert outcome.error == OwnError("JSONDecodeError", 1, 2)


def test_a_notebook_may_leave_early(jailed: Runner) -> None:
    assert jailed.declared("declare(1)\nimport sys\nsys.exit()", "declare(2)") == [1]


def test_a_kernel_that_ends_itself_is_told_by_name(jailed: Runner) -> None:
    outcome = jailed("import os\nos._exit(0)")
    assert (outcome.state, outcome.why, outcome.notebook) == ("failed", "run.kernel_ended", None)


def test_progress_is_told_while_it_runs(jailed: Runner) -> None:
    seen: list[Progress] = []
    jailed("1", "2", on_progress=seen.append)
    assert seen[0] == Progress("running", 0, 3)
    assert seen[-1].done == 3


def test_the_channel_reaches_the_notebook_and_only_the_notebook(jailed: Runner) -> None:
    ours, theirs = socket.socketpair()
    asked: list[Any] = []

    def answer() -> None:
        asked.append(frame.receive(ours)[0])
        frame.send(ours, {"id": 1, "ok": True}, b"body")
        try:
            frame.receive(ours)
        except EOFError:
            asked.append("closed")

    broker = threading.Thread(target=answer)
    broker.start()
    found = jailed.declared(
        "import os, socket\nfrom domicile.wire import frame\n"
        "channel = socket.socket(fileno=int(os.environ['DOMICILE_CHANNEL']))\n"
        "frame.send(channel, {'verb': 'describe'})\n"
        "head, body = frame.receive(channel)\ndeclare([head, body.decode()])",
        channel=theirs,
    )
    theirs.close()
    broker.join(timeout=10)
    ours.close()
    assert found == [[{"id": 1, "ok": True}, "body"]]
    assert asked == [{"verb": "describe"}, "closed"], "the jail held the channel after its end"


def test_without_a_channel_none_is_announced(jailed: Runner) -> None:
    assert jailed.declared("import os; declare('DOMICILE_CHANNEL' in os.environ)") == [False]


def test_two_jails_at_once_do_not_see_each_other(jailed: Runner) -> None:
    leave = (
        "import os, socket, time, pathlib\npathlib.Path('/tmp/mark').write_text('x')\n"
        "pathlib.Path('/dev/shm/mark').write_text('x')\n"
        "s = socket.socket(socket.AF_UNIX); s.bind('\\0mark'); s.listen()\ntime.sleep(2)\ndeclare('left')"
    )
    look = (
        "import os, socket, time, pathlib\nfound = []\nfor _ in range(10):\n    time.sleep(0.15)\n"
        "    found += [p for p in ('/tmp/mark', '/dev/shm/mark') if pathlib.Path(p).exists()]\n"
        "    try:\n        socket.socket(socket.AF_UNIX).connect('\\0mark'); found.append('socket')\n"
        "    except OSError: pass\ndeclare(found)"
    )
    results: dict[str, Any] = {}
    threads = [
        threading.Thread(target=lambda name, cell: results.update({name: jailed.declared(cell)}), args=pair)
        for pair in (("leave", leave), ("look", look))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"leave": ["left"], "look": [[]]}


def test_what_is_no_notebook_is_refused_before_any_jail_starts(wall: Wall) -> None:
    with pytest.raises(BadInput, match="not JSON"):
        Source.read(b"not a notebook", wall.limits)


def test_a_jail_that_cannot_be_built_is_no_wall_and_no_run(wall: Wall) -> None:
    broken = dataclasses.replace(wall.environment, packages=Path("/nowhere"))
    with pytest.raises(NoWall, match="/nowhere"):
        run(dataclasses.replace(wall, environment=broken), JailSpec(notebook("1")))


def test_declared_outputs_are_capped_in_number_and_size(jailed: Runner) -> None:
    many = jailed("for i in range(60): declare(i)")
    assert (many.state, many.why, many.notebook) == ("failed", "run.too_many_outputs", None)
    large = jailed("declare('x' * (9 << 20))")
    assert (large.state, large.why, large.notebook) == ("failed", "run.output_too_large", None)


def test_limits_are_those_of_the_sandbox_file(wall: Wall) -> None:
    assert {limit["name"] for limit in wall.sandbox.wall["limit"]} == {f.name for f in dataclasses.fields(Limits)}


PACKAGES = "import importlib.metadata as m\nfound = sorted(f'{d.name}=={d.version}' for d in m.distributions())\n"


@pytest.mark.audit
def test_packages_at_home_are_those_behind_the_wall(jailed: Runner, tmp_path: Path) -> None:
    text, digest = lock_of(jailed.wall.sandbox)
    home = built(EnvironmentCard(requirements=text, digest=digest), tmp_path)
    asked = [str(home.python), "-c", f"{PACKAGES}import json; print(json.dumps(found))"]
    environ = {"PYTHONPATH": str(home.product)}
    at_home = json.loads(subprocess.run(asked, env=environ, capture_output=True, text=True, check=True).stdout)
    (behind,) = jailed.declared(f"{PACKAGES}declare(found)")
    assert at_home == behind and len(behind) > 40
    assert jailed.wall.environment.lock == digest
