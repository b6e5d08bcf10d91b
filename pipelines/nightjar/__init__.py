"""Versioned vector indexes in Weaviate from documents in S3."""

__version__ = "0.1.0"
