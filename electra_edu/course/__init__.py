"""The course: content as data files and its logic; nothing here displays anything."""
