"""What deployments measure: minutes from Azure Monitor, their rollups, and the budgets they are held against.

Unknown stays unknown all the way: a column is NULL until Azure said otherwise, and no sum, share or percentile
counts a NULL as zero.
"""
