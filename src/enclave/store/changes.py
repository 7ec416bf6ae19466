"""Has anything been written to the database since one last looked?

SQLite counts what others committed to its file (`PRAGMA data_version`, changed for a connection by every commit but its
own); one connection is kept for that, and asking it opens no transaction and reads no page. Of another database nothing
is known, so there always may have been something.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from sqlalchemy import Engine


class Changes:
    """For one thread, until closed."""

    def __init__(self, db: Engine) -> None:
        self._kept = db.raw_connection() if db.dialect.name == "sqlite" else None
        self._version: int | None = None

    def new(self) -> bool:
        """True at the first look, and whenever somebody committed since the last."""
        if self._kept is None:
            return True
        try:
            with closing(self._kept.cursor()) as cursor:
                found: int = cursor.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return True
        changed, self._version = found != self._version, found
        return changed

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
