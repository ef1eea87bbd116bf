"""Static files with hashed names."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped package
    """Names carry a hash, also those that our modules import from each other."""

    support_js_module_import_aggregation = True
    # A file that third-party CSS mentions and its package does not ship is no reason to serve nothing.
    manifest_strict = False
