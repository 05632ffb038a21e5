"""Would a reader of the user's side take it for a person's?"""
