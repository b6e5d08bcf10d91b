"""The vector database behind `ports.Index`: Weaviate 1.32 or newer."""

import logging
import warnings

from nightjar.barred import barred

# A dependency of the client tells its own maintainers about deprecations, at every start of every command; another
# brings a command line of its own, with colours.
with warnings.catch_warnings(record=True), barred("httpx._main"):
    import weaviate  # noqa: F401 - imported here first, so that the warning stays here

# The client logs refused objects whole, document text included. What was refused is raised, so nothing is lost.
logging.getLogger("weaviate-client").setLevel(logging.CRITICAL)
