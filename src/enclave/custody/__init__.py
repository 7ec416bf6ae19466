"""Will it survive, and does it still stand?"""
