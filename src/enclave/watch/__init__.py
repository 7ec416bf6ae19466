"""What looks wrong, and who must know?"""

from enclave.watch.incidents import Incident, Stopped, frozen, incidents

__all__ = ["Incident", "Stopped", "frozen", "incidents"]
