"""The HTML edge: one module per subject. Composes rooms through services and selectors, decides nothing."""
