"""Do simulated shoppers type as people do: letter case, marks, white space, and how the file writes characters?"""
