"""The mirror: endpoints and deployments as Azure reports them, and every state they ever had, on two
clocks.
"""
