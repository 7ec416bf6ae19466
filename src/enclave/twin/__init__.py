"""What would a dataset of this dictionary look like, with nobody in it?

Rows invented from the signed dictionary, and from paid marginals where there are any, written as an extract is written and
asked as an extract is asked: free.
"""

from enclave.twin.twin import PERSONS, Twins, described, made_from, make, path_of

__all__ = ["PERSONS", "Twins", "described", "made_from", "make", "path_of"]
