"""What happened behind the wall?"""
