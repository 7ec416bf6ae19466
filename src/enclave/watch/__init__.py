"""What looks wrong, and who must know?"""

from enclave.watch.incidents import Incident, frozen, incidents

__all__ = ["Incident", "frozen", "incidents"]
