"""Does the user listen to the agent?"""
