"""Is this release what the enclave sent, unaltered?"""
