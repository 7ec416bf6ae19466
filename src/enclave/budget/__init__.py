"""What may still be spent, and what was?"""
