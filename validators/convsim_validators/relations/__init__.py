"""Does what must hold of any shopper hold?"""
