"""What may be kept of this raw file?"""
