"""Can a classifier tell the simulated shoppers' side of a conversation from people's?"""
