"""The program that checks an evidence pack for whoever trusts nobody here: one file that needs nothing but Python."""
