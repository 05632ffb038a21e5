"""Do simulated conversations repeat the people that they are judged on, or one another?"""
