"""The web door."""

from enclave.console.front import router

__all__ = ["router"]
