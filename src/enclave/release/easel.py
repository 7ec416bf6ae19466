"""Draws pictures in a child that can reach nothing: started by `release.draw`, never imported.

In: a JSON list of Vega-Lite specifications on standard input. Out: a JSON list of base64 PNG. Exit code 3: a picture needs
Han glyphs and no font here has them (they would come out as boxes, and nobody would know).
"""

from __future__ import annotations

import base64
import json
import resource
import sys

NO_HAN_FONT = 3
_CPU_SECONDS = 60
_SCALE = 2.0


def _limit() -> None:
    for limit, value in ((resource.RLIMIT_CPU, _CPU_SECONDS), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, value))


def main() -> int:
    """Draw what stands on standard input."""
    _limit()
    sys.path.insert(0, "/easel")
    import vl_convert

    def draw(specification: object) -> bytes:
        return vl_convert.vegalite_to_png(json.dumps(specification), scale=_SCALE, allowed_base_urls=[])

    def glyph(character: str) -> bytes:
        title = {"text": character, "font": asked["font"]}
        return draw({"data": {"values": [{}]}, "mark": "point", "title": title})

    asked = json.load(sys.stdin)
    if asked["han"] and glyph("院") == glyph("病"):
        return NO_HAN_FONT
    pictures = [base64.b64encode(draw(specification)).decode() for specification in asked["specifications"]]
    json.dump(pictures, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
