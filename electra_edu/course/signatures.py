"""Signatures of solutions: they tell a source that passed its check here from one that came with a file.

A progress file may lie in a shared folder or come from somebody else. It is read for what it says, but source in it is
executed only if it carries a valid signature. Nobody can make one without the key in this user's own state folder.
"""

import hmac
import json

from electra_edu.support.user_state import secret_key


def sign(lesson: str, exercise: str, source: str) -> str:
    """Return the signature of a source that passed the check of this exercise; raises StateError without a key."""
    message = json.dumps(["electra_edu exercise", lesson, exercise, source])
    return hmac.new(secret_key(), message.encode(), "sha256").hexdigest()


def is_signed(lesson: str, exercise: str, source: str, signature: str) -> bool:
    """Tell whether `signature` belongs to this source and exercise; raises StateError without a key."""
    return hmac.compare_digest(sign(lesson, exercise, source).encode(), signature.encode("utf-8", "replace"))
