"""May this run ask this, now?"""
