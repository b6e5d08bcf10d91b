"""Versioned vector indexes in Weaviate from documents in S3."""

import os

# Arrow looks as it loads. Its own allocator keeps what each reading thread once used: 100 MB at 100,000 documents.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
