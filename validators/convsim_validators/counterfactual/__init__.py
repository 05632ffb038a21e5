"""Does a worse agent change simulated shoppers as it changed people?"""
