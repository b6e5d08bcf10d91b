"""The embedding model: its files, its tokenizer and the runtime that turns texts into unit vectors.

Only `transformer` and what it loads lazily needs torch or OpenVINO; chunking needs no more than the tokenizer.
"""
