"""Are habits distributed as people's, metric by metric?"""
