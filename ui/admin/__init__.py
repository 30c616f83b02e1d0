"""The admin area at `/admin`: documents, uploads, what was asked and rated, the gold file, evaluation, health."""
