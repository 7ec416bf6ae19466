"""The words both sides share: shapes on the wire, the catalogue of shown words, framing of the channel."""
