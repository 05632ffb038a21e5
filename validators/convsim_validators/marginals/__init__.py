"""Are habits distributed as people's are, metric by metric?"""
