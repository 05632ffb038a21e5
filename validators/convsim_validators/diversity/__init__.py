"""Does the crowd of simulated shoppers cover the crowd of people?"""
