"""The vector database behind `ports.Index`: Weaviate 1.32 or newer."""

import logging
import warnings

from nightjar.imports import barred, models_built_late, postponed_classes

_LOGINS = ("AsyncOAuth2Client", "OAuth2Client")

# A dependency of the client tells its own maintainers about deprecations, at every start of every command; one brings
# a command line with colours, and one all of cryptography, for logins by OIDC. Of 250 models a command uses a few.
with (
    warnings.catch_warnings(record=True),
    barred("httpx._main"),
    postponed_classes("authlib.integrations.httpx_client", *_LOGINS),
    models_built_late(),
):
    import weaviate  # noqa: F401 - imported here first, so that the warning stays here

# The client logs refused objects whole, document text included. What was refused is raised, so nothing is lost.
logging.getLogger("weaviate-client").setLevel(logging.CRITICAL)
