"""Where things are kept: one Postgres, and blobs named by their digest.

The database is the only truth. Rows that belong together are written in one transaction
(``Database.transaction``), SQL is plain and lives in ``queries.sql`` files beside the code
that uses it (``queries.load``), and the schema grows by numbered, forward-only migrations.
Time is the database's (``skerry_now()``), so that every process agrees on it and a test can
shift it. This package knows nothing of resources, tenants or money.
"""

from skerry.store.blobs import Blobs, Digest
from skerry.store.database import DATABASE_AWAY, DATABASE_ERRORS, Database, Tx
from skerry.store.errors import StoreError

__all__ = [
    "DATABASE_AWAY",
    "DATABASE_ERRORS",
    "Blobs",
    "Database",
    "Digest",
    "StoreError",
    "Tx",
]
