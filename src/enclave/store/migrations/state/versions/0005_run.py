"""run"""

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """To be filled by the package that declares these tables."""
