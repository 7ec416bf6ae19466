"""What would a first descriptor of this source say?

`draft` reads headers and counts shapes of values (`facts`), and writes a descriptor in which each guess is marked for the
steward to settle: until the last mark is gone nobody can sign it and no intake takes it (`intake.settled`). No value of the
records stands in it, nor any count of them.
"""

from enclave.intake.draft.drafting import Draft, draft, name_of, recorded

__all__ = ["Draft", "draft", "name_of", "recorded"]
