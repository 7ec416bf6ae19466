"""What may be known of an extract, bought once?"""
