"""The serving process: the HTTP door over one house. It holds no data key and reads no extract."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from enclave.bootstrap.house import House, open_house
from enclave.bootstrap.up import alone
from enclave.errors import Refused
from enclave.settings import Settings


def is_loopback(host: str) -> bool:
    """True for addresses only this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_address(house: House) -> None:
    """A demo home listens on loopback only (design §3)."""
    if house.mark.demo and not is_loopback(house.settings.host):
        raise Refused("home.demo_only_loopback", host=house.settings.host)


def run(settings: Settings, build: Callable[[House], ASGIApp]) -> None:
    """Serve until asked to end. `build` is handed in by the door: this package stands below the API."""
    with alone(settings.place, "serve"), open_house(settings).closing() as house:
        check_address(house)
        uvicorn.run(
            build(house),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
        )
