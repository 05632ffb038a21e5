"""Do habits go together as people's do?"""
