"""Where do identifiers stand, in columns and in free text?"""
