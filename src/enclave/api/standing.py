"""Is the house up, whose key signs its receipts, and who am I here?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from domicile.wire.shapes import EnvironmentCard
from enclave.api.identity import AHouse, AMember
from enclave.bootstrap.up import status
from enclave.run import SandboxFiles
from enclave.run.environment import lock_of

router = APIRouter(tags=["standing"])


@router.get("/health")
def health(house: AHouse) -> dict[str, Any]:
    """Which processes run. Public: it names no member, dataset or run."""
    return {"ok": True, "demo": house.mark.demo, "running": [s.name for s in status(house.place) if s.pid]}


@router.get("/key")
def key(house: AHouse) -> dict[str, str]:
    """The public key (hex, Ed25519) under which receipts verify."""
    return {"public_key": house.keyring.public_key}


@router.get("/environment")
def environment(member: AMember) -> EnvironmentCard:
    """The lock of the packages that notebooks find behind the wall, to have the same at home (`domicile lab`)."""
    text, digest = lock_of(SandboxFiles.find())
    return EnvironmentCard(requirements=text, digest=digest)


@router.get("/me")
def me(member: AMember) -> dict[str, Any]:
    return {
        "member": member.id,
        "name": member.real_name,
        "roles": sorted(role.value for role in member.roles),
        "expires_at": member.expires_at,
    }
