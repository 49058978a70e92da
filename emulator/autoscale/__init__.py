"""Autoscale settings of deployments, as Azure Monitor keeps them. They are kept, and nothing scales by them."""
