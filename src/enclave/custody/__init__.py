"""Will it survive?"""
