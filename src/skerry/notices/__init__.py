"""Being told: what happens reaches people by mail and programs by webhook, or is at least listed.

Whoever has something to tell calls ``post`` in the transaction of its cause. That writes one row of
the *outbox* and nothing else: what is rolled back is never told, and no transaction waits for a
mail server. Nobody is told twice under one ``dedupe`` key.

``mail_configured`` says whether mails leave at all. Where they don't, whoever asked for a one-time
link is shown it.
"""

from skerry.notices.outbox import mail_configured, post

__all__ = ["mail_configured", "post"]
