"""Is the house up, whose key signs its receipts, and who am I here?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from enclave.api.identity import AHouse, AMember
from enclave.bootstrap.up import status

router = APIRouter(tags=["standing"])


@router.get("/health")
def health(house: AHouse) -> dict[str, Any]:
    """Which processes run. Public: it names no member, dataset or run."""
    return {"ok": True, "demo": house.mark.demo, "running": [s.name for s in status(house.place) if s.pid]}


@router.get("/key")
def key(house: AHouse) -> dict[str, str]:
    """The public key (hex, Ed25519) under which receipts verify."""
    return {"public_key": house.keyring.public_key}


@router.get("/me")
def me(member: AMember) -> dict[str, Any]:
    return {
        "member": member.id,
        "name": member.real_name,
        "roles": sorted(role.value for role in member.roles),
        "expires_at": member.expires_at,
    }
