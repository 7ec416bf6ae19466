"""May this run ask this, now?

The broker knows runs and questions; `query` knows questions, never runs. Order of every question: grant and lease →
plan and price (in words, uncharged) → stored answer or reservation → the extract → settle → reply at the fixed moment.
"""
