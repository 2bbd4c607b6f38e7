"""The fields of one object of a data file, read strictly, so that a slip in the file is found and named."""

import reprlib
from typing import Any

from electra_edu.support.errors import ElectraEduError

_SHORT = reprlib.Repr()  # a value in a message takes a line, however long or deeply nested it is
_SHORT.maxstring = _SHORT.maxother = 80


class ContentError(ElectraEduError):
    """A content file breaks its form; names the file and the field."""


class Fields:
    """The fields of one JSON object, taken one by one; what is left over or of the wrong type is an error."""

    def __init__(self, where: str, data: Any) -> None:
        """Begin with all fields of `data`; `where` says in errors which object it is."""
        if not isinstance(data, dict):
            raise ContentError(f"{where}: must be an object with named fields, not {type(data).__name__}.")
        self.where, self._left = where, dict(data)

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, kind: type | tuple[type, ...], *default: Any) -> Any:
        """Return a field of this kind, or the default where there is no such field."""
        if name not in self._left:
            if default:
                return default[0]
            raise ContentError(f"{self.where}: the field {name!r} is missing.")
        value = self._left.pop(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ContentError(f"{self.where}: {name!r} cannot be {_SHORT.repr(value)}.")
        return value

    def texts(self, name: str, *default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a field that lists texts."""
        values = self.take(name, (list, tuple), *default)
        if not all(isinstance(value, str) and value for value in values):
            raise ContentError(f"{self.where}: {name!r} must list texts, not {_SHORT.repr(values)}.")
        return tuple(values)

    def rest(self) -> dict[str, Any]:
        """Return all fields that were not taken yet."""
        rest, self._left = self._left, {}
        return rest

    def end(self) -> None:
        """Raise ContentError where a field is left over: it would silently do nothing."""
        if self._left:
            raise ContentError(f"{self.where}: there is no field {next(iter(self._left))!r}.")
