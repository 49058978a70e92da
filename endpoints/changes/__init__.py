"""Every write to Azure: plan, checks, approval, executor, rollback.

A person asks (`services`), rows keep what was asked and what happened (`models`), pure modules decide
(`lifecycle`, `plan`, `checks`, `decide`, `targets`), and the executor alone acts on Azure.
"""
