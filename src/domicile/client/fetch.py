"""How does a release come home? A zip from the enclave, unpacked whole or not at all, nothing outside its folder."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path, PurePosixPath

from domicile.client.api import Api
from domicile.client.problem import refusal

_MAX_FILES = 2_000
_MAX_BYTES = 512 * 1024 * 1024


def fetch(api: Api, name: str, folder: Path) -> Path:
    """Fetch the release `name` (its id, its run, or one of its outputs) into the new `folder`."""
    if folder.exists():
        raise refusal("folder_taken", place=str(folder))
    return unpack(api.release(name), folder)


def unpack(package: bytes, folder: Path) -> Path:
    """Unpack a release into the new `folder`."""
    draft = folder.with_name(f".{folder.name}.incoming")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as files:
            entries = files.infolist()
            if len(entries) > _MAX_FILES or sum(e.file_size for e in entries) > _MAX_BYTES:
                raise refusal("release_unsafe")
            for entry in entries:
                path = draft / _inside(entry.filename)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(files.read(entry))
        draft.replace(folder)
    # zipfile says NotImplementedError of an unknown compression, RuntimeError of an encrypted entry
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as broken:
        raise refusal("release_unsafe") from broken
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if not name or name.endswith("/") or path.is_absolute() or "\\" in name or ":" in name or ".." in path.parts:
        raise refusal("release_unsafe")
    return path
