"""`python -m enclave.cli`: how `enclave up` starts its processes."""

from enclave.cli import main

main()
