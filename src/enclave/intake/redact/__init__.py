"""What stands in a text where an identifier stood?"""
