"""Who may use what, for what, until when?"""
