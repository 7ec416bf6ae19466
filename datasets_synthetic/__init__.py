"""What could a hospital's records look like, when no real one may be shown?

An invented hospital, drawn from a seed: its people, visits, diagnoses, laboratory values and notes, with effects planted
so that answers can be checked, and dirty rows so that intake can be tried. `make.py` is the command.
"""

__all__: list[str] = []
