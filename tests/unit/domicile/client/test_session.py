"""Where the token rests, and which addresses it may go to."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from domicile.client import ProblemError, load, login
from domicile.client.session import checked_url, config_file


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DOMICILE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return config_file()


def test_a_login_is_remembered_for_its_owner_alone(config: Path) -> None:
    login("https://enclave.example.org/", " token ", "ab" * 32)
    kept = load()
    assert (kept.url, kept.token, kept.public_key) == ("https://enclave.example.org", "token", "ab" * 32)
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert "token" not in repr(kept)


def test_a_file_that_others_can_read_is_refused(config: Path) -> None:
    login("https://enclave.example.org", "token")
    config.chmod(0o640)
    with pytest.raises(ProblemError) as refused:
        load()
    assert refused.value.code == "client.config_open"


def test_a_second_login_replaces_the_first(config: Path) -> None:
    login("https://one.example.org", "a")
    login("https://two.example.org", "b")
    assert load().token == "b"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8311", "http://localhost:1", "http://[::1]:1", "https://e.example.org"]
)
def test_addresses_that_keep_a_token_safe(url: str) -> None:
    assert checked_url(url) == url


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://enclave.example.org", "client.plain_http"),
        ("http://127.0.0.1.example.org", "client.plain_http"),
        ("http://localhost@example.org", "client.bad_address"),
        ("ftp://localhost", "client.bad_address"),
        ("enclave.example.org", "client.bad_address"),
        ("https://e.example.org:port", "client.bad_address"),
        ("https://e.example.org?x=1", "client.bad_address"),
        ("", "client.bad_address"),
    ],
)
def test_addresses_that_do_not(url: str, code: str) -> None:
    with pytest.raises(ProblemError) as refused:
        checked_url(url)
    assert refused.value.code == code


def test_without_a_login_one_is_told_what_to_do() -> None:
    with pytest.raises(ProblemError) as refused:
        load()
    assert refused.value.code == "client.not_logged_in"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"url": 3, "token": "x"}'])
def test_a_broken_file_is_named(config: Path, content: str) -> None:
    config.parent.mkdir(parents=True, exist_ok=True)
    config.touch(0o600)
    config.write_text(content)
    with pytest.raises(ProblemError) as refused:
        load()
    assert refused.value.code == "client.config_broken"
