"""The web door."""

from fastapi import APIRouter

from enclave.console import front, shelf

router = APIRouter(include_in_schema=False)
router.include_router(front.router)
router.include_router(shelf.router)

__all__ = ["router"]
