"""The evidence pack of a case: all of it in one ZIP that a third party verifies offline. Pure: data in, bytes out."""
