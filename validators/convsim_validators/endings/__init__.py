"""Do simulated shoppers stop when and how people do?"""
