"""Keep Gradio silent. Import this before gradio: it reads these variables while it is being imported."""

from __future__ import annotations

import os

# Gradio would report usage to api.gradio.app and look up huggingface.co at launch. It compares the first with exactly
# this string; arguments to a single page do not stop either. Assigned, not defaulted: no surrounding environment may
# turn them back on.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"
# It also keeps a record of every event and sums all of them up after each one, for a dashboard that is not served.
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"
