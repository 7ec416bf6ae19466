"""How fast and how near the truth are other engines on the same questions, at the same (ε, δ)?

`shapes` words a question for all; `rows` hands out the same rows; `environments` and `talk` run a peer in an environment of
its own (`engines/`, which know nothing of this project); `budget` gives each its share of one total; `oracle` picks its
bounds with the truth in hand; `compare` measures in turns; `report` writes down. The method is in docs/reference/peers.md.
"""
