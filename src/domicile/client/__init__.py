"""The researcher asks: the same client at home and behind the wall.

Behind the wall (`DOMICILE_CHANNEL` names a descriptor) questions go to the broker over that socket; at home they go to the
API of the enclave one logged in to. Either way: `describe`, `quote`, `ask`.
"""

from domicile.client.answer import Answer
from domicile.client.api import Api
from domicile.client.dataset import Dataset, open_dataset
from domicile.client.problem import ProblemError
from domicile.client.session import Session, load, login

__all__ = ["Answer", "Api", "Dataset", "ProblemError", "Session", "load", "login", "open_dataset"]
