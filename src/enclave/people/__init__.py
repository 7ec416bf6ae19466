"""Who is this, and what is their standing?"""
