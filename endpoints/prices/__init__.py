"""What machines cost and how many more may be had: sizes, prices and quota by subscription and region, as Azure
names them.
"""
