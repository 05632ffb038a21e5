"""Do shoppers change with the severity of a fault?"""
