"""What looks wrong, and who must know?"""
