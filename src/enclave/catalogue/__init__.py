"""What extracts exist, and what is known of each?"""
