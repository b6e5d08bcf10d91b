"""The local stack without containers: Weaviate, an S3 server and Airflow as processes on loopback.

Standard library only, so that it also runs before the virtual environment is complete.
"""
