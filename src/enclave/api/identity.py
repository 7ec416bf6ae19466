"""Who is at the HTTP door? The member of the bearer token, or nobody."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from enclave.bootstrap.house import House
from enclave.errors import Refused
from enclave.people import Member, authenticate
from enclave.twin import Twins


def house_of(request: Request) -> House:
    """The house behind this door."""
    house = request.app.state.house
    assert isinstance(house, House)
    return house


def twins_of(request: Request) -> Twins:
    """The twins that this door has open."""
    twins = request.app.state.twins
    assert isinstance(twins, Twins)
    return twins


TheTwins = Annotated[Twins, Depends(twins_of)]
AHouse = Annotated[House, Depends(house_of)]


def member_of(house: AHouse, authorization: Annotated[str, Header()] = "") -> Member:
    """The member; Refused when there is no bearer token, or it is unknown, expired or revoked."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("door.no_bearer")
    return authenticate(house.db, house.keyring, token)


AMember = Annotated[Member, Depends(member_of)]
