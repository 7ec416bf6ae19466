"""What may be kept of this raw file?"""

from enclave.intake.descriptor import Descriptor, narrowed, parse
from enclave.intake.extract import Extract, build
from enclave.intake.planned import Plan, plan
from enclave.intake.policy import Signed, check_signed, sign

__all__ = ["Descriptor", "Extract", "Plan", "Signed", "build", "check_signed", "narrowed", "parse", "plan", "sign"]
