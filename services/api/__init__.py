"""The HTTP API and the page: what is there, what happened to it, what is wrong.

Listens to nothing: it follows the journal, so it can't hold up or lose anybody's work. Says
``snapshot.requested`` when somebody asks for a picture, ``snapshot.taken`` when somebody brings
one, ``access.noted`` when somebody changes who may. Owns no tables, only a cache of derivatives in
the store. Safe to repeat because a request's id, and a picture's, is fixed by its idempotency key.
"""
