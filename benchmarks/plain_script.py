"""What people write first: list, parse, cut, embed, insert. The yardstick for `benchmarks/ingest.py`, run as a program.

    python benchmarks/plain_script.py PREFIX COLLECTION

The same parser library, model, token limit and server as Nightjar's; fp32 torch, batches of 32, batched writes.
"""

from __future__ import annotations

import io
import sys

import boto3
from corpora import BUCKET, server
from sentence_transformers import SentenceTransformer
from unstructured.partition.auto import partition
from weaviate.classes.config import Configure, DataType, Property

from nightjar.adapters.embedder.model_files import locate
from nightjar.adapters.parser.sentences import install

TOKENS = 256


def main() -> None:
    prefix, name = sys.argv[1:]
    install()
    model = SentenceTransformer(str(locate("sentence-transformers/all-MiniLM-L6-v2", revision=None).path), device="cpu")
    bucket = boto3.client("s3")
    texts = []
    for page in bucket.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for item in page["Contents"]:
            body = bucket.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
            elements = partition(file=io.BytesIO(body), metadata_filename=item["Key"], languages=["eng"])
            texts += cut(model, "\n".join(str(e) for e in elements))
    vectors = model.encode(texts, batch_size=32)
    with server() as client:
        client.collections.delete(name)
        collection = client.collections.create(
            name,
            vector_config=Configure.Vectors.self_provided(),
            properties=[Property(name="text", data_type=DataType.TEXT)],
        )
        with collection.batch.fixed_size(300, concurrent_requests=2) as batch:
            for text, vector in zip(texts, vectors, strict=True):
                batch.add_object({"text": text}, vector=vector.tolist())
        client.collections.delete(name)
    print(len(texts))


def cut(model: SentenceTransformer, text: str) -> list[str]:
    """Passages of at most TOKENS tokens, special ones included, cut wherever that falls."""
    encoded = model.tokenizer(text, return_offsets_mapping=True, add_special_tokens=False, truncation=False)
    spans = encoded["offset_mapping"]
    room = TOKENS - 2
    return [text[spans[i][0] : spans[min(i + room, len(spans)) - 1][1]] for i in range(0, len(spans), room)]


if __name__ == "__main__":
    main()
