"""Are simulated shoppers like people within each task, arm and language?"""
