"""How does an engine that reads UTF-8 read GB18030?

From a named pipe: a thread decodes the file strictly (GB18030 is a superset of GBK and GB 2312) and writes UTF-8 into the
pipe, block by block. Nothing is written to disk, nothing is held in memory, and a byte that is no GB18030 is located.
"""

from __future__ import annotations

import codecs
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enclave.errors import BadInput
from enclave.intake.alongside import alongside

BLOCK = 2**20
_TURN = 0.002
CODECS = {"utf-8": "utf-8", "gbk": "gb18030", "gb18030": "gb18030"}


def opening_text(path: Path, encoding: str) -> str:
    """The first block of the file, decoded; what is cut or broken at its end is left off. BadInput when not so encoded."""
    with path.open("rb") as file:
        block = file.read(BLOCK)
    if not block:
        raise BadInput("intake.empty_file", place=path.name)
    text = _decoded(block, CODECS[encoding])
    if text is None:
        _complain(path, encoding, block)
        return block.decode("utf-8", "replace").removeprefix("\ufeff")
    if encoding != "utf-8" and _is_utf8(block):
        # GB18030 takes nearly every byte pair, so UTF-8 passes for it and comes out as nonsense
        raise BadInput("intake.wrong_encoding", place=f"{path.name} line 1", declared=encoding, found="utf-8")
    return text.removeprefix("\ufeff")


def _decoded(block: bytes, codec: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(block)
    except UnicodeDecodeError:
        return None


_CHARACTERS = 8


def _is_utf8(block: bytes) -> bool:
    """Whether the block is UTF-8 with so many characters beyond ASCII that this is no accident."""
    text = _decoded(block, "utf-8")
    return text is not None and (text.startswith("\ufeff") or sum(ord(c) > 127 for c in text[:65536]) >= _CHARACTERS)


def _complain(path: Path, encoding: str, block: bytes) -> None:
    """Raise when the block is plainly in the other encoding; a stray byte is left to the reader, which counts lines."""
    if encoding == "utf-8":
        if _decoded(block, "gb18030") is not None:
            line = 1 + block[: _broken_at(block, "utf-8")].count(b"\n")
            raise BadInput(
                "intake.wrong_encoding", place=f"{path.name} line {line}", declared=encoding, found="gb18030"
            )
        return
    line = 1 + block[: _broken_at(block, CODECS[encoding])].count(b"\n")
    found = "utf-8" if _is_utf8(block) else "?"
    raise BadInput("intake.wrong_encoding", place=f"{path.name} line {line}", declared=encoding, found=found)


def _broken_at(block: bytes, codec: str) -> int:
    try:
        codecs.getincrementaldecoder(codec)("strict").decode(block)
    except UnicodeDecodeError as broken:
        return broken.start
    return len(block)


def blocks(path: Path, encoding: str) -> Iterator[bytes]:
    """The file as UTF-8 without a mark, block by block; BadInput with the line of the first byte that is not so encoded."""
    decoder, line, first = codecs.getincrementaldecoder(CODECS[encoding])("strict"), 1, True
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as broken:
                line += broken.object[: broken.start].count(b"\n")
                raise BadInput(
                    "intake.wrong_encoding", place=f"{path.name} line {line}", declared=encoding, found="?"
                ) from None
            yield (text.removeprefix("\ufeff") if first else text).encode()
            if not block:
                return
            first, line = False, line + block.count(b"\n")


@contextmanager
def served(path: Path, encoding: str, pipe: Path) -> Iterator[None]:
    """While inside, one reader may read the file once, as UTF-8, from the pipe. BadInput at the end for a broken byte."""
    trouble: list[BadInput | OSError] = []

    def serve(ended: threading.Event) -> None:
        handle = _reader_of(pipe, ended)
        if handle is None:
            return
        try:
            with os.fdopen(handle, "wb", buffering=0) as out:
                for block in blocks(path, encoding):
                    out.write(block)
        except BrokenPipeError:
            pass  # the reader had enough
        except (BadInput, OSError) as broken:
            trouble.append(broken)

    with alongside(serve):
        yield
    if trouble:
        raise trouble[0]


def _reader_of(pipe: Path, ended: threading.Event) -> int | None:
    """A descriptor to write to once somebody reads; None when nobody came."""
    while not ended.is_set():
        try:
            handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(_TURN)
            continue
        os.set_blocking(handle, True)
        return handle
    return None
