"""Static files with hashed names."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage

# Django's own patterns want a semicolon behind each import.
_STATEMENT = r'(?P<matched>(?m:^){word}(?P<what>[\s{{*][^"\';]*?)\s*from\s*["\'](?P<url>\.[^"\']*)["\'])'
MODULES = (
    "*.js",
    (
        (_STATEMENT.format(word="import"), 'import%(what)s from "%(url)s"'),
        (_STATEMENT.format(word="export"), 'export%(what)s from "%(url)s"'),
        (r'(?P<matched>(?m:^)import\s*["\'](?P<url>\.[^"\']*)["\'])', 'import "%(url)s"'),
        (r'(?P<matched>\bimport\(["\'](?P<url>\.[^"\']*)["\']\))', 'import("%(url)s")'),
    ),
)


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped package
    """Names carry a hash, also those that our modules import from each other."""

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = MODULES
    # Modules import each other in more layers than style sheets do; one pass settles one of them.
    max_post_process_passes = 20
    # A file that third-party CSS mentions and its package does not ship is no reason to serve nothing.
    manifest_strict = False
