"""When does a shopper reveal what, and how much of it unasked?"""
