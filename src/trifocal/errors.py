"""The one error tree, split by who can repair the fault. Imports nothing from this package.

```
TrifocalError
├── DataError      the data's owner: a file, a column, a row
├── ConfigError    whoever runs the command: an option, a key, a missing extra
├── ArtifactError  whoever built or moved the artefact: bundle, checkpoint, feature cache
└── ServingError   whoever sends the request or runs the server
    └── NotFoundError    an id that the bundle does not know
```

Every message holds the value that was met, the limit it broke and the repair.
"""

from __future__ import annotations

__all__ = ["ArtifactError", "ConfigError", "DataError", "NotFoundError", "ServingError", "TrifocalError"]


class TrifocalError(Exception):
    """Base of every error that Trifocal raises on purpose. Stability: full."""


class DataError(TrifocalError):
    """Input data cannot be used as it is; its owner can repair it. Stability: full."""


class ConfigError(TrifocalError):
    """A setting, an option or the installation is wrong. Stability: full."""


class ArtifactError(TrifocalError):
    """A bundle, checkpoint or feature cache is damaged, incomplete or of an unknown version. Stability: full."""


class ServingError(TrifocalError):
    """A request cannot be served. Stability: full."""


class NotFoundError(ServingError):
    """The request names an id that is not known here. Stability: full."""
