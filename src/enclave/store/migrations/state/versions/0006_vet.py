"""vet"""

revision = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """To be filled by the package that declares these tables."""
