"""Used by every room: errors, checks of arguments, strict reading of data files, atomic writing."""
