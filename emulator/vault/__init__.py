"""Key Vault: secrets that can be read, for scoring keys that nobody should have to type in."""
