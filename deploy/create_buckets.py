"""Creates the buckets named on the command line in the S3 of `aws_default`; those that exist are left alone."""

from __future__ import annotations

import json
import os
import sys

import boto3
from botocore.exceptions import ClientError


def main(names: list[str]) -> None:
    """Ask first: creating an own bucket again is an error in some regions and none in others."""
    connection = json.loads(os.environ["AIRFLOW_CONN_AWS_DEFAULT"])
    s3 = boto3.client(
        "s3",
        endpoint_url=connection["extra"]["endpoint_url"],
        region_name=connection["extra"]["region_name"],
        aws_access_key_id=connection["login"],
        aws_secret_access_key=connection["password"],
    )
    for name in names:
        try:
            s3.head_bucket(Bucket=name)
        except ClientError:
            s3.create_bucket(Bucket=name)


if __name__ == "__main__":
    main(sys.argv[1:])
