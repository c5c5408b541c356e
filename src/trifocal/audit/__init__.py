"""Is the catalogue right? Mismatched, doubled, broken and blank pictures, empty texts, suspicious categories.

Reads a data set, its picture files and token features; writes nothing but what the pictures look like. Knows no model,
no training, no serving.
"""
