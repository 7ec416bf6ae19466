"""The one command that starts a jail."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from enclave.errors import BadInput, NotFound, NoWall
from enclave.run.environment import Environment, Interpreter, JailUser, find_interpreter, jail_user
from enclave.run.limits import Limits
from enclave.run.sandbox import SandboxFiles
from enclave.run.wall import Descriptors, Wall, find_tool

SANDBOX = SandboxFiles.find()
PYTHON = Interpreter(
    Path("/usr/bin/python3.11"),
    "3.11",
    "x86_64",
    Path("/usr/lib/python3.11"),
    (Path("/usr/lib/x86"),),
    Path("/lib64/ld"),
)
USER = JailUser(64100, 64100)
WALL = Wall(SANDBOX, Environment(PYTHON, Path("/packages"), Path("/layer"), USER, "d"), Limits.default(SANDBOX))
COMMAND = WALL.command(Descriptors(3, 4, 5, 6, 7, 8, 9, 10), WALL.limits)


def after(flag: str) -> list[str]:
    return [COMMAND[place + 1] for place, word in enumerate(COMMAND) if word == flag]


def test_every_namespace_is_left_and_none_can_be_made() -> None:
    for flag in (
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--new-session",
        "--die-with-parent",
        "--clearenv",
    ):
        assert flag in COMMAND
    assert after("--cap-drop") == ["ALL"]
    assert not {"--share-net", "--proc", "--dev", "--bind-try", "--ro-bind-try"} & set(COMMAND)


def test_the_runner_is_process_1_and_the_root_is_read_only_after_the_last_mount() -> None:
    assert "--as-pid-1" in COMMAND
    last_mount = max(place for place, word in enumerate(COMMAND) if word in ("--bind", "--ro-bind", "--dev-bind"))
    assert COMMAND.index("--remount-ro") > last_mount
    assert after("--remount-ro") == ["/"]


def test_nothing_is_executed_before_the_starter_lets_it_go() -> None:
    assert (after("--info-fd"), after("--block-fd")) == (["6"], ["7"])


def test_only_staged_folders_are_writable_and_each_is_capped_in_bytes_and_files() -> None:
    assert {source.rpartition("/")[0] for source in after("--bind")} == {"/layer/stage"}
    stage = WALL.stage(WALL.limits)
    caps = [word for word in stage if word.startswith("size=")]
    assert len(caps) == len(after("--bind")) == 3
    assert all("nr_inodes=" in cap and "nosuid,nodev" in cap for cap in caps)


def test_what_is_bound_is_what_the_file_names_and_neither_shell_nor_tools() -> None:
    bound = after("--ro-bind")
    assert bound == [
        "/usr/bin/python3.11",
        "/usr/lib/python3.11",
        "/usr/lib/x86",
        "/lib64/ld",
        "/packages",
        "/layer/inside",
    ]
    assert not any(folder in bound for folder in ("/", "/bin", "/usr", "/usr/bin", "/etc", "/proc", "/sys", "/home"))


def test_the_runner_is_told_its_descriptors_limits_and_paths() -> None:
    settings = json.loads(COMMAND[-1])
    assert settings["fds"] == {"job": 3, "frames": 4, "watchdog": 5, "filter": 9, "channel": 10}
    assert settings["limits"] == vars(WALL.limits)
    assert set(settings["write"]) == {
        "/tmp",
        "/home/nb",
        "/dev/shm",
        "/dev/null",
        "/dev/zero",
        "/dev/urandom",
        "/dev/random",
    }


def test_without_a_channel_no_descriptor_of_one_crosses() -> None:
    assert Descriptors(3, 4, 5, 6, 7, 8, 9, None).all() == (3, 4, 5, 6, 7, 8, 9)


def test_a_missing_tool_names_its_package(tmp_path: Path) -> None:
    with pytest.raises(NoWall, match="bubblewrap") as missing:
        find_tool("bwrap", (str(tmp_path),))
    assert missing.value.exit_code == 78
    assert "bubblewrap" in missing.value.words("zh")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can own a file and make it set-uid for the test")
def test_a_set_uid_or_foreign_tool_is_not_used(tmp_path: Path) -> None:
    tool = tmp_path / "bwrap"
    tool.write_text("")
    tool.chmod(0o4755)
    with pytest.raises(NoWall, match="set-uid"):
        find_tool("bwrap", (str(tmp_path),))
    tool.chmod(0o755)
    assert find_tool("bwrap", (str(tmp_path),)) == tool, "the control: an ordinary one of root is"
    os.chown(tool, 1234, 1234)
    with pytest.raises(NoWall, match="not owned by root"):
        find_tool("bwrap", (str(tmp_path),))


def test_the_jail_is_never_root() -> None:
    for ids in ((0, 1), (1, 0)):
        with pytest.raises(NoWall, match="never run as root"):
            JailUser(*ids)
    assert jail_user().uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed who cannot walk there")
def test_an_interpreter_the_jails_user_cannot_walk_to_is_passed_over(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "python").symlink_to("/usr/bin/python3.11")
    seen = tmp_path / "python"
    found = find_interpreter(jail_user(), [hidden / "python", Path("/nowhere"), Path("/usr/bin/python3.11"), seen])
    assert found.path == Path("/usr/bin/python3.11")


def test_no_interpreter_at_all_says_which_were_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys._base_executable", str(tmp_path / "own"), raising=False)
    with pytest.raises(NoWall, match=r"python3\.11-venv"):
        find_interpreter(jail_user(), [tmp_path / "none"])


def test_a_sandbox_folder_must_be_whole(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"requirements\.txt"):
        SandboxFiles(tmp_path)


def test_limits_are_positive_whole_numbers_with_known_names() -> None:
    assert Limits.default(SANDBOX, seconds=7).seconds == 7
    for changed in ({"seconds": 0}, {"seconds": -1}, {"seconds": 1.5}, {"seconds": True}, {"minutes": 1}):
        with pytest.raises(BadInput):
            Limits.default(SANDBOX, **changed)
    assert dataclasses.is_dataclass(WALL)
