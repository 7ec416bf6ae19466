"""How does a release leave over HTTP? As one zip, for those who may have it; each fetch is an event."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from enclave.api.identity import AHouse, AMember
from enclave.release import fetch

router = APIRouter(tags=["releases"])


@router.get("/releases/{name}", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
def release(name: str, house: AHouse, member: AMember) -> Response:
    """The newest release named by its id, its run or one of its outputs."""
    filename, package = fetch(house.db, house.place, house.permissions, member, name)
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(package, media_type="application/zip", headers=headers)
