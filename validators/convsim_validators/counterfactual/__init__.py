"""Does a worse agent change simulated shoppers as it changes people?"""
