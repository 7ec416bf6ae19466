"""What private answer may be given?"""
