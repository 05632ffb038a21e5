"""Do simulated shoppers know how a conversation ends, or whom they talk to, before it has begun?"""
