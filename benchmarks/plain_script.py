"""What people write first: list, parse, cut, embed, insert. The yardstick for `benchmarks/ingest.py`, run as a program.

    python benchmarks/plain_script.py PREFIX COLLECTION

The same parser library, model, token limit and server as Nightjar's; fp32 torch, batches of 32, batched writes.
"""

from __future__ import annotations

import io
import os
import sys
from urllib.parse import urlsplit

import boto3
import weaviate
from corpora import BUCKET
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
    client = boto3.client("s3")
    texts = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for item in page["Contents"]:
            body = client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
            elements = partition(file=io.BytesIO(body), metadata_filename=item["Key"], languages=["eng"])
            texts += cut(model, "\n".join(str(e) for e in elements))
    vectors = model.encode(texts, batch_size=32)
    http, grpc = urlsplit(os.environ["WEAVIATE_URL"]), os.environ["WEAVIATE_GRPC_URL"].split(":")
    with weaviate.connect_to_custom(
        http_host=str(http.hostname),
        http_port=int(http.port or 80),
        http_secure=False,
        grpc_host=grpc[0],
        grpc_port=int(grpc[1]),
        grpc_secure=False,
        auth_credentials=weaviate.auth.AuthApiKey(os.environ["WEAVIATE_API_KEY"]),
        skip_init_checks=True,
    ) as server:
        server.collections.delete(name)
        collection = server.collections.create(
            name,
            vector_config=Configure.Vectors.self_provided(),
            properties=[Property(name="text", data_type=DataType.TEXT)],
        )
        with collection.batch.fixed_size(300, concurrent_requests=2) as batch:
            for text, vector in zip(texts, vectors, strict=True):
                batch.add_object({"text": text}, vector=vector.tolist())
        server.collections.delete(name)
    print(len(texts))


def cut(model: SentenceTransformer, text: str) -> list[str]:
    """Passages of at most TOKENS tokens, special ones included, cut wherever that falls."""
    encoded = model.tokenizer(text, return_offsets_mapping=True, add_special_tokens=False, truncation=False)
    spans = encoded["offset_mapping"]
    room = TOKENS - 2
    return [text[spans[i][0] : spans[min(i + room, len(spans)) - 1][1]] for i in range(0, len(spans), room)]


if __name__ == "__main__":
    main()
