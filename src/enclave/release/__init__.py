"""What left, when, to whom?"""
