"""Does one shopper stay one person?"""
