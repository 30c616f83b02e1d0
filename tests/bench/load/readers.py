"""What a reader does, for locust, which runs this file in an environment of its own; see `__main__.py`."""

import json
import os
import random
from pathlib import Path

from locust import HttpUser, between, task

QUESTIONS = json.loads(Path(os.environ["QUESTIONS"]).read_text("utf-8"))
SHORTEST, LONGEST = json.loads(os.environ["PAUSE"])


class Reader(HttpUser):
    """Asks, reads the answer, asks something else."""

    wait_time = between(SHORTEST, LONGEST)

    @task
    def ask(self):
        """Ask one question; what is neither answered nor refused for want of evidence is a failure."""
        body = {"question": random.choice(QUESTIONS)}
        with self.client.post("/api/v1/ask", json=body, catch_response=True) as reply:
            if reply.status_code != 200:
                reply.failure(f"{reply.status_code} {reply.text[:200]}")
            elif not (reply.json()["citations"] or reply.json()["abstained"]):
                reply.failure("an answer without a citation")
