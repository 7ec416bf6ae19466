"""May this output leave?"""
