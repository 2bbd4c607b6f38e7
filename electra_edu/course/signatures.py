"""Seals: they tell a source that passed its check in this user's own kernel from one that came with a file.

A progress file may lie in a shared folder or come from somebody else. It is read for what it says, but what it holds is
executed only under a seal, which nobody can make without the key in this user's own state folder.
"""

import hmac
import json

from electra_edu.support.user_state import secret_key


def seal(lesson: str, exercise: str, source: str) -> str:
    """Return the seal of a source that passed the check of this exercise; raises StateError where there is no key."""
    message = json.dumps(["electra_edu exercise", lesson, exercise, source])
    return hmac.new(secret_key(), message.encode(), "sha256").hexdigest()


def is_sealed(lesson: str, exercise: str, source: str, found: str) -> bool:
    """Tell whether `found` is the seal of this source; raises StateError where there is no key."""
    return hmac.compare_digest(seal(lesson, exercise, source).encode(), found.encode("utf-8", "replace"))
